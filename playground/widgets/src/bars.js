// Paints what is wide enough to be seen one by one: the requests' capsules, bars in the shape of their kind, and labels.

import { clipped, fillRounded, setFont } from './canvas.js';
import { failureWidth, paintFailure, paintFailuresBeside } from './failures.js';
import { formatDuration } from './format.js';
import { hasCapsules, laneTop } from './geometry.js';
import { BLOCKED, FUTURE, KINDS } from './kinds.js';
import { barExtent } from './strips.js';
import { textOn } from './theme.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./geometry.js').Projection} Projection */
/** @typedef {import('./painter.js').Pen} Pen */
/** @typedef {import('./rows.js').Row} Row */

const MOST_CAPSULES = 400;  // in a lane; more are narrower than three pixels each

/**
 * Spans of a row clipped to the plot, so that no bar is millions of pixels long.
 * @param {Projection} projection
 * @param {Row} row
 * @param {number} index
 * @returns {[number, number]} left and width
 */
function extentOf(projection, row, index) {
  const left = Math.max(projection.gutter - 20, projection.x(row.start[index]));
  const right = Math.min(projection.width + 20, projection.x(row.end(index)));
  return [left, Math.max(0, right - left)];
}

/**
 * Indexes of the requests of a lane that are wide enough for a capsule.
 * @param {Lane} lane
 * @param {Projection} projection
 */
export function capsulesOf(lane, projection) {
  const { life } = lane;
  if (life === null || !hasCapsules(lane)) return [];
  const first = life.firstAlive(projection.time(projection.gutter));
  const stop = life.firstFrom(projection.time(projection.width));
  if (stop - first > MOST_CAPSULES) return [];
  return Array.from({ length: Math.max(0, stop - first) }, (_, i) => first + i).filter((i) => life.duration[i] * projection.scale > 6);
}

/** @param {Pen} pen @param {Lane[]} lanes */
export function paintCapsules({ context, projection, theme }, lanes) {
  context.fillStyle = theme.ui.capsule;
  for (const lane of lanes) {
    for (const index of capsulesOf(lane, projection)) {
      const [left, width] = extentOf(projection, /** @type {Row} */ (lane.life), index);
      fillRounded(context, left - 2, laneTop(lane, projection), width + 4, lane.height + 2, 5);
    }
  }
}

/**
 * Bars, one path for each kind: a canvas fills one path of a thousand bars much faster than a thousand paths.
 * @param {Pen} pen
 * @param {Map<Lane, number[]>} bars
 */
export function paintBars(pen, bars) {
  const { context, projection, theme, hatch, hatchReady } = pen;
  const paths = KINDS.map(() => new Path2D());
  const used = new Set();
  for (const [lane, indexes] of bars) {
    const row = /** @type {Row} */ (lane.row);
    const top = laneTop(lane, projection) + lane.barTop;
    for (const index of indexes) {
      const kind = row.kind[index];
      const [left, width] = extentOf(projection, row, index);
      addBar(paths[kind], kind, left, width - 1, top, lane.barHeight);
      used.add(kind);
    }
  }
  for (const kind of used) {
    context.fillStyle = theme.kinds[kind];
    context.fill(paths[kind]);
    if (kind !== BLOCKED && KINDS[kind].shape !== 'half') continue;
    context.fillStyle = kind === BLOCKED ? hatch : hatchReady;
    context.fill(paths[kind]);
  }
}

/**
 * @param {Path2D} path
 * @param {number} kind
 * @param {number} left @param {number} width @param {number} top @param {number} height
 */
function addBar(path, kind, left, width, top, height) {
  const { shape } = KINDS[kind];
  const [y, tall] = barExtent(shape, top, height);
  if (kind === FUTURE) {
    for (let x = left; x < left + width; x += 7) path.rect(x, y, Math.min(4, left + width - x), tall);
  } else {
    path.roundRect(left, y, width, tall, shape === 'full' ? Math.min(3, width / 3) : 1);
  }
}

/** Names on the bars that have room for them. @param {Pen} pen @param {Map<Lane, number[]>} bars */
export function paintBarLabels(pen, bars) {
  const { context, projection } = pen;
  context.textBaseline = 'middle';
  for (const [lane, indexes] of bars) {
    const row = /** @type {Row} */ (lane.row);
    if (hasCapsules(lane) || lane.barHeight < 11) continue;  // the request's label stands above its bars, or none has room
    setFont(context, 500, isThin(lane) ? 9.5 : lane.barHeight > 20 ? 12 : 10.5);
    const middle = laneTop(lane, projection) + lane.barTop + lane.barHeight / 2 + 0.5;
    for (const index of indexes) if (KINDS[row.kind[index]].shape === 'full') paintBarLabel(pen, lane, row, index, middle);
  }
}

/** Whether a lane's bars have just the height of a line of small letters. @param {Lane} lane */
function isThin({ barHeight }) {
  return barHeight < 14;
}

/**
 * The name that a bar bears; what the gutter says is not said again, but what the bar was seen in.
 * @param {{ name: string }} lane
 * @param {{ label: string, call: string }} what
 */
export function wordsOn({ name }, { label, call }) {
  return label === name ? call : label;
}

/** @param {Pen} pen @param {Lane} lane @param {Row} row @param {number} index @param {number} middle */
function paintBarLabel({ context, projection, theme, ruler, recording }, lane, row, index, middle) {
  const left = Math.max(projection.gutter, projection.x(row.start[index]));
  const room = Math.min(projection.width, projection.x(row.end(index))) - left - 10;
  if (room < 24) return;
  const words = wordsOn(lane, recording.whatOf({ row, index }));
  const name = isThin(lane) && ruler.width(words) > room ? '' : ruler.fit(words, room);
  if (name === '' && words !== '') return;
  const colour = theme.kinds[row.kind[index]];
  const duration = formatDuration(recording.ns(row.duration[index]));
  const width = ruler.width(name);
  const at = name === '' ? 0 : width + 8;  // of the duration, from the start of the name
  const end = room - width > ruler.width(duration) + 12 ? at + ruler.width(duration) : width;
  if (row.kind[index] === BLOCKED && end > 0) {  // hatching under letters makes them hard to read
    context.fillStyle = colour;
    fillRounded(context, left + 2, middle - 0.5 - Math.min(16, lane.barHeight) / 2, end + 6, Math.min(16, lane.barHeight), 3);
  }
  context.fillStyle = textOn(colour);
  context.fillText(name, left + 5, middle);
  if (end > width) context.fillText(duration, left + 5 + at, middle);
}

/** "GET /report  252 ms" over each request that has room for it, and how it failed. @param {Pen} pen @param {Lane[]} lanes */
export function paintRequestLabels(pen, lanes) {
  pen.context.textBaseline = 'middle';
  /** @type {Map<Lane, Set<number>>} */
  const labelled = new Map();
  for (const lane of lanes) {
    const indexes = capsulesOf(lane, pen.projection).filter((index) => paintRequestLabel(pen, lane, index));
    labelled.set(lane, new Set(indexes));
  }
  paintFailuresBeside(pen, lanes, (lane, index) => labelled.get(lane)?.has(index) ?? false);
}

/** @param {Pen} pen @param {Lane} lane @param {number} index @returns {boolean} whether there was room */
function paintRequestLabel(pen, lane, index) {
  const { context, projection, theme, ruler, recording } = pen;
  const life = /** @type {Row} */ (lane.life);
  const middle = laneTop(lane, projection) + 7.5;
  const left = Math.max(projection.gutter + 3, projection.x(life.start[index]) + 2);
  const right = Math.min(projection.width, projection.x(life.end(index)));
  const failure = recording.failureOf({ row: life, index });
  const room = right - left - (failure === '' ? 0 : failureWidth(pen, failure) + 6);
  setFont(context, 500, 10.5);
  const label = room < 24 ? '' : ruler.fit(recording.whatOf({ row: life, index }).label, room);
  if (label === '') return false;
  context.fillStyle = theme.ui.text;
  context.fillText(label, left, middle);
  const width = ruler.width(label);
  const end = failure === '' ? left + width : paintFailure(pen, failure, left + width + 6, middle);
  setFont(context, 500, 10.5);
  const duration = formatDuration(recording.ns(life.duration[index]));
  if (end + 6 + ruler.width(duration) > right) return true;
  context.fillStyle = theme.ui.faint;
  context.fillText(duration, end + 6, middle);
  return true;
}

/**
 * A line around a span.
 * @param {Pen} pen
 * @param {Lane} lane
 * @param {import('./recording.js').Span} span
 * @param {string} colour
 * @param {number} thickness
 */
export function paintOutline({ context, projection, pinnedBottom }, lane, { row, index }, colour, thickness) {
  const [left, width] = extentOf(projection, row, index);
  const whole = row === lane.life;
  const top = laneTop(lane, projection) + (whole ? 0 : lane.barTop);
  const height = whole ? lane.height + 2 : lane.barHeight;
  const clipTop = lane.group === 'loop' || lane.group === 'inside' ? 0 : pinnedBottom;
  clipped(context, [projection.gutter, clipTop, projection.width, projection.height], () => {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.beginPath();
    context.roundRect(left - 1.5, top - 1.5, Math.max(2, width) + 3, height + 3, 4);
    context.stroke();
  });
}
