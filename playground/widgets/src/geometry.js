// Where things stand: lanes from top to bottom, time from left to right, and what lies under a point.
// Pure arithmetic in CSS pixels and ticks; it knows neither canvas nor browser.

import { scaleLinear } from 'd3-scale';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {{ start: number, end: number }} Range a stretch of time, in ticks */

/**
 * One line of the picture: a heading, or a lane with its row of spans.
 * @typedef {object} Lane
 * @property {'loop' | 'inside' | 'worker' | 'request' | 'heading'} group
 * @property {string} name what the gutter says
 * @property {string} note said in fainter ink after a heading
 * @property {number} top from the top of the lanes, unscrolled
 * @property {number} height
 * @property {number} barTop of the bars, from the lane's top
 * @property {number} barHeight
 * @property {Row | null} row
 * @property {Row | null} life for requests: a span from the start to the end of each
 */

/** @typedef {{ lanes: Lane[], pinnedHeight: number, height: number }} Layout */

export const AXIS_HEIGHT = 30;
const ROOMY_LANES = 48;  // up to so many request lanes get a line for their labels; more are drawn thin
const HEADING = 21;

/** @param {number} width of the view */
function gutterWidth(width) {
  return width < 640 ? 104 : 178;
}

/**
 * @param {Recording} recording
 * @returns {Layout}
 */
export function layOut(recording) {
  /** @type {Lane[]} */
  const lanes = [];
  let top = 4;
  /** @param {Partial<Lane> & { group: Lane['group'], name: string, height: number }} lane @param {number} gap below it */
  const add = (lane, gap) => {
    lanes.push({ note: '', top, barTop: 0, barHeight: lane.height, row: null, life: null, ...lane });
    top += lane.height + gap;
  };
  const rows = (/** @type {string} */ group) => recording.rows.filter((row) => row.group === group);
  if (recording.noun === 'job') {
    addModels(recording.rows, rows('life'), add);
    return { lanes, pinnedHeight: 0, height: top + 6 };
  }
  for (const row of rows('loop')) add({ group: 'loop', name: 'Event loop', row, height: 26 }, 2);
  for (const row of rows('inside')) if (row.length > 0) add({ group: 'inside', name: 'inside each step', row, height: 17 }, 2);
  const pinnedHeight = top + 2;
  const workers = rows('worker');
  top = pinnedHeight + 6;
  if (workers.length > 0) add({ group: 'heading', name: 'Workers', note: workers.length === 1 ? '1 thread' : `${workers.length} threads`, height: HEADING }, 0);
  for (const row of workers) add({ group: 'worker', name: row.name, row, height: 18 }, 3);
  if (workers.length > 0) top += 8;
  addRequests(rows('request'), rows('life'), recording, add);
  return { lanes, pinnedHeight, height: top + 6 };
}

/**
 * @param {Row[]} rows
 * @param {Row[]} lives
 * @param {Recording} recording
 * @param {(lane: Partial<Lane> & { group: Lane['group'], name: string, height: number }, gap: number) => void} add
 */
function addRequests(rows, lives, { heading, requestsAtOnce }, add) {
  const [rowOf, lifeOf] = [rows, lives].map((list) => new Map(list.map((row) => [row.lane, row])));
  const numbers = [...new Set([...lifeOf.keys(), ...rowOf.keys()])].sort((a, b) => a - b);
  if (numbers.length === 0) return;
  const roomy = numbers.length <= ROOMY_LANES;
  add({ group: 'heading', name: heading, note: `${requestsAtOnce} at once`, height: HEADING }, 0);
  for (const number of numbers) {
    const [row, life] = [rowOf, lifeOf].map((lanes) => lanes.get(number) ?? null);
    const shape = roomy ? { height: 27, barTop: 14, barHeight: 11 } : { height: 13, barTop: 1, barHeight: 11 };
    add({ group: 'request', name: roomy ? '' : (life ?? row)?.name ?? '', row, life, ...shape }, roomy ? 4 : 2);
  }
}

/**
 * Ways to run the same jobs, one below the other: the more lanes, the thinner, so that whole ways are compared by eye.
 * @param {Row[]} rows
 * @param {Row[]} lives in the order of the lanes
 * @param {(lane: Partial<Lane> & { group: Lane['group'], name: string, height: number }, gap: number) => void} add
 */
function addModels(rows, lives, add) {
  const height = Math.max(5, Math.min(13, Math.round(800 / lives.length)));
  let last = '';
  rows.forEach((row, i) => {
    const { lane, name, note } = row;
    const group = /** @type {Lane['group'] | 'life'} */ (row.group);
    const gap = rows[i + 1]?.group === 'request' ? 1 : 8;
    if (group === 'request') add({ group, name: height < 11 || name === last ? '' : name, row, life: lives[lane], height }, gap);
    else if (group !== 'life') add({ group, name, note, row, height: group === 'worker' ? 15 : 21 }, gap);
    last = name;
  });
}

/** Whether a lane stays in place while the others scroll. @param {Lane} lane */
export function isPinned(lane) {
  return lane.group === 'loop' || lane.group === 'inside';
}

/** Whether a lane has a line of its own for the labels of its requests. @param {Lane} lane */
export function hasCapsules(lane) {
  return lane.life !== null && lane.barTop > 2;
}

/**
 * How time and lanes are laid on a canvas of a certain size, at one zoom and one scroll.
 * @typedef {object} Projection
 * @property {number} width
 * @property {number} height
 * @property {number} gutter where the plot begins
 * @property {number} left x of `start`
 * @property {number} right x of `end`
 * @property {number} start
 * @property {number} end
 * @property {number} scale CSS pixels a tick
 * @property {number} scroll how far the lanes that are not pinned are scrolled
 * @property {(time: number) => number} x
 * @property {(x: number) => number} time
 */

/**
 * @param {{ width: number, height: number, scroll: number }} canvas
 * @param {Range} range
 * @returns {Projection}
 */
export function project({ width, height, scroll }, { start, end }) {
  const gutter = gutterWidth(width);
  const [left, right] = plotEdges(width);
  const scale = (right - left) / (end - start);
  return {
    width, height, scroll, gutter, left, right, start, end, scale,
    x: (time) => left + (time - start) * scale,
    time: (x) => start + (x - left) / scale,
  };
}

/** Left and right end of the visible range: a little air, so that the first and the last span are seen whole. @param {number} width */
export function plotEdges(width) {
  return [gutterWidth(width) + 4, Math.max(gutterWidth(width) + 5, width - 10)];
}

/** Top of a lane on the canvas. @param {Lane} lane @param {Projection} projection */
export function laneTop(lane, projection) {
  return AXIS_HEIGHT + lane.top - (isPinned(lane) ? 0 : projection.scroll);
}

/**
 * Keep a range within the run and no narrower than `narrowest`, moving it rather than changing its width.
 * @param {Range} range
 * @param {number} duration
 * @param {number} narrowest
 * @returns {Range}
 */
export function clampRange({ start, end }, duration, narrowest) {
  const width = Math.min(duration, Math.max(narrowest, end - start));
  const centre = (start + end) / 2;
  const from = Math.min(duration - width, Math.max(0, centre - width / 2));
  return { start: from, end: from + width };
}

/**
 * A stretch of time with some air around it, wide enough to be looked at.
 * @param {number} start
 * @param {number} end
 * @param {number} air as a share of its length, on each side
 * @returns {Range}
 */
export function around(start, end, air) {
  const margin = Math.max((end - start) * air, 1);
  return { start: start - margin, end: end + margin };
}

/**
 * A moment on the way from one range to another: the width changes by a constant factor, and the point that both
 * ranges show at the same place stays where it is.
 * @param {Range} from
 * @param {Range} to
 * @param {number} progress 0 to 1
 * @returns {Range}
 */
export function between(from, to, progress) {
  const [w0, w1] = [from.end - from.start, to.end - to.start];
  const width = w0 * (w1 / w0) ** progress;
  const share = Math.abs(w1 - w0) < 1e-9 * w0 ? progress : (width - w0) / (w1 - w0);
  const start = from.start + (to.start - from.start) * share;
  return { start, end: start + width };
}

/**
 * Ticks for an axis: round steps, about `count` of them, between two moments.
 * @param {number} startNs
 * @param {number} endNs
 * @param {number} count
 * @returns {{ ticks: number[], step: number }} in nanoseconds
 */
export function timeTicks(startNs, endNs, count) {
  const rough = (endNs - startNs) / count;
  const clock = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].map((seconds) => seconds * 1e9);
  if (rough > 45e9) {  // above that a step of 50 s or 100 s would be round in tens, but not on a clock
    const step = clock.find((candidate) => candidate >= rough) ?? Math.ceil(rough / 86400e9) * 86400e9;
    const first = Math.ceil(startNs / step);
    const ticks = Array.from({ length: Math.max(0, Math.floor(endNs / step) - first + 1) }, (_, i) => (first + i) * step);
    return { ticks, step };
  }
  const ticks = scaleLinear([startNs, endNs], [0, 1]).ticks(count);
  return { ticks, step: ticks.length > 1 ? ticks[1] - ticks[0] : rough };
}

/**
 * What lies under a point of the canvas. The name of a lane that holds a single request stands for that.
 * @param {Layout} layout
 * @param {Projection} projection
 * @param {number} x
 * @param {number} y
 * @returns {{ lane: Lane, span: Span, sharing: number } | null} the span, and how many share its pixel
 */
export function hitTest(layout, projection, x, y) {
  const lane = laneAt(layout, projection, y);
  if (lane === null) return null;
  if (x < projection.gutter) return lane.name !== '' && lane.life?.length === 1 ? { lane, span: { row: lane.life, index: 0 }, sharing: 1 } : null;
  const inLane = y - laneTop(lane, projection);
  const rows = hasCapsules(lane) && inLane < lane.barTop ? [lane.life] : [lane.row, lane.life];
  const time = projection.time(x);
  for (const row of rows) {
    const index = row === null ? -1 : row.nearest(time, (row === lane.life ? 0 : 3) / projection.scale);
    if (row === null || index < 0) continue;
    const half = 0.5 / projection.scale;
    return { lane, span: { row, index }, sharing: row.firstFrom(time + half) - row.firstAlive(time - half) };
  }
  return null;
}

/**
 * @param {Layout} layout
 * @param {Projection} projection
 * @param {number} y
 * @returns {Lane | null}
 */
function laneAt(layout, projection, y) {
  const fromAxis = y - AXIS_HEIGHT;
  if (fromAxis < 0) return null;
  const inLanes = fromAxis < layout.pinnedHeight ? fromAxis : fromAxis + projection.scroll;
  const lane = layout.lanes.findLast(({ top }) => top <= inLanes);
  return lane !== undefined && lane.group !== 'heading' && inLanes <= lane.top + lane.height + 2 ? lane : null;
}
