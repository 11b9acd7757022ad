// Paints time: the axis with its ticks, the blocked stretches' chips and bands, the grid, and the moment under the pointer.

import { clipped, fillRounded, setFont } from './canvas.js';
import { isFree, placeChips } from './chips.js';
import { formatDuration, formatMoment } from './format.js';
import { AXIS_HEIGHT, timeTicks } from './geometry.js';
import { BLOCKED } from './kinds.js';
import { firstReached } from './rows.js';
import { textOn } from './theme.js';

/** @typedef {import('./painter.js').Pen} Pen */
/** @typedef {{ left: number, right: number, duration: number, times: number }} Band a blocked stretch in pixels: for how many ticks, by how many blocks */
/** @typedef {{ at: number, label: string }[]} Ticks */
/** @typedef {import('./chips.js').Extent} Extent */
/** @typedef {{ x: number, text: string, extent: Extent }} Moment the time under the pointer, and what its label covers */

const NARROW = 3;  // pixels
const MOST_BANDS = 60;  // more would tint the whole picture

/** @param {Pen} pen @returns {Ticks} */
export function ticksOf({ projection, recording }) {
  const { start, end, left, right } = projection;
  const [startNs, endNs] = [recording.ns(start), recording.ns(end)];
  const { ticks, step } = timeTicks(startNs, endNs, Math.max(2, Math.round((right - left) / 110)));
  return ticks.map((ns) => ({ at: Math.round(projection.x(ns / recording.tickNs)), label: formatMoment(ns, step, endNs) }));
}

/**
 * Blocked stretches in view that are at least three pixels wide; those with less than that between them are one.
 * @param {Pen} pen
 * @returns {Band[]}
 */
export function bandsOf({ projection, recording: { loop, blocks } }) {
  if (loop === null) return [];
  const [from, to] = [projection.time(projection.gutter), projection.time(projection.width)];
  /** @type {Band[]} */
  const bands = [];
  for (let i = firstReached(0, blocks.length, (at) => loop.end(blocks[at]) > from); i < blocks.length && loop.start[blocks[i]] < to; i++) {
    const index = blocks[i];
    const left = Math.max(projection.gutter, projection.x(loop.start[index]));
    const band = { left, right: Math.min(projection.width, projection.x(loop.end(index))), duration: loop.duration[index], times: 1 };
    const last = bands.at(-1);
    if (last === undefined || left - last.right >= NARROW) {
      bands.push(band);
      continue;
    }
    last.right = band.right;
    last.duration += band.duration;
    last.times += 1;
  }
  const wide = bands.filter(({ left, right }) => right - left >= NARROW);
  return wide.length > MOST_BANDS ? [] : wide;
}

/** Grid lines and the tint of blocked stretches, under the lanes. @param {Pen} pen @param {Ticks} ticks @param {Band[]} bands */
export function paintBackground({ context, projection, theme }, ticks, bands) {
  const tall = projection.height - AXIS_HEIGHT;
  context.fillStyle = theme.ui.grid;
  for (const { at } of ticks) if (at >= projection.gutter) context.fillRect(at, AXIS_HEIGHT, 1, tall);
  context.fillStyle = theme.ui.band;
  for (const { left, right } of bands) context.fillRect(left, AXIS_HEIGHT, right - left, tall);
}

/** Dashed edges of blocked stretches, over the lanes. @param {Pen} pen @param {Band[]} bands */
export function paintBandEdges({ context, projection, theme }, bands) {
  context.save();
  context.strokeStyle = theme.ui.edge;
  context.setLineDash([3, 3]);
  context.beginPath();
  for (const x of bands.flatMap(({ left, right }) => [left, right])) {
    if (x <= projection.gutter || x >= projection.width) continue;
    context.moveTo(Math.round(x) + 0.5, AXIS_HEIGHT);
    context.lineTo(Math.round(x) + 0.5, projection.height);
  }
  context.stroke();
  context.restore();
}

/** @param {Pen} pen @param {Ticks} ticks @param {Band[]} bands @param {Moment | null} moment the pointer's, which is painted over all */
export function paintAxis(pen, ticks, bands, moment) {
  const { context, projection, theme, recording } = pen;
  context.fillStyle = theme.ui.panel;
  context.fillRect(0, 0, projection.width, AXIS_HEIGHT);
  context.fillStyle = theme.ui.line;
  context.fillRect(0, AXIS_HEIGHT - 1, projection.width, 1);
  context.textBaseline = 'middle';
  clipped(context, [projection.gutter - 1, 0, projection.width, AXIS_HEIGHT], () => {
    const labels = labelsOf(pen, ticks);
    const taken = paintChips(pen, bands, labels, moment);
    paintTicks(pen, ticks, labels, moment === null ? taken : [...taken, moment.extent]);
  });
  setFont(context, 400, 11);
  context.fillStyle = theme.ui.faint;
  const shown = formatDuration(recording.ns(projection.end - projection.start));
  context.fillText(projection.gutter > 140 ? `${shown} shown` : shown, 14, AXIS_HEIGHT / 2);
}

/** What the labels of ticks cover of the axis. @param {Pen} pen @param {Ticks} ticks @returns {Extent[]} */
function labelsOf({ context, projection, ruler }, ticks) {
  setFont(context, 400, 11);
  return ticks.map(({ at, label }) => {
    const width = ruler.width(label);
    const left = Math.max(projection.gutter + 3, Math.min(projection.width - width - 4, at - width / 2));
    return [left, left + width];
  });
}

/**
 * "loop blocked 230 ms" in each blocked stretch that has room for it, where it hides the fewest labels.
 * One that the pointer's time would cover is not painted: half of it would be read as something else.
 * @param {Pen} pen
 * @param {Band[]} bands
 * @param {Extent[]} labels
 * @param {Moment | null} moment
 * @returns {Extent[]} what they cover of the axis
 */
function paintChips({ context, theme, ruler, recording }, bands, labels, moment) {
  setFont(context, 600, 10.5);
  const texts = bands.map(({ duration, times }) => `loop blocked ${times > 1 ? `${times} times, ` : ''}${formatDuration(recording.ns(duration))}`);
  const places = placeChips(labels, bands.map(({ left, right }, i) => ({ left, right, width: ruler.width(texts[i]) + 16 })));
  return places.filter((chip, i) => {
    if (chip === null || (moment !== null && !isFree(chip, [moment.extent]))) return false;
    context.fillStyle = theme.kinds[BLOCKED];
    fillRounded(context, chip[0], 6, chip[1] - chip[0], 18, 9);
    context.fillStyle = textOn(theme.kinds[BLOCKED]);
    context.fillText(texts[i], chip[0] + 8, 15.5);
    return true;
  }).filter((chip) => chip !== null);
}

/** @param {Pen} pen @param {Ticks} ticks @param {Extent[]} labels @param {Extent[]} taken */
function paintTicks({ context, theme }, ticks, labels, taken) {
  setFont(context, 400, 11);
  ticks.forEach(({ at, label }, i) => {
    context.fillStyle = theme.ui.line;
    context.fillRect(at, AXIS_HEIGHT - 7, 1, 6);
    if (!isFree(labels[i], taken)) return;
    context.fillStyle = theme.ui.muted;
    context.fillText(label, labels[i][0], AXIS_HEIGHT / 2 - 1);
  });
}

/** The time under the pointer and where it is written. @param {Pen} pen @param {number} x @returns {Moment} */
export function momentAt({ context, projection, ruler, recording }, x) {
  setFont(context, 600, 10.5);
  const step = 10 ** Math.floor(Math.log10(recording.ns(1 / projection.scale)));
  const text = formatMoment(Math.max(0, recording.ns(projection.time(x))), step);
  const half = ruler.width(text) / 2 + 5;
  const middle = Math.min(projection.width - half - 1, Math.max(projection.gutter + half + 1, x));
  return { x, text, extent: [middle - half, middle + half] };
}

/** The moment under the pointer: a line through all lanes and its time on the axis. @param {Pen} pen @param {Moment} moment */
export function paintMoment({ context, projection, theme }, { x, text, extent: [left, right] }) {
  context.save();
  context.globalAlpha = 0.5;
  context.fillStyle = theme.ui.faint;
  context.fillRect(Math.round(x), AXIS_HEIGHT, 1, projection.height);
  context.restore();
  setFont(context, 600, 10.5);
  context.fillStyle = theme.ui.text;
  fillRounded(context, left, AXIS_HEIGHT - 20, right - left, 16, 4);
  context.fillStyle = theme.ui.bg;
  context.textBaseline = 'middle';
  context.fillText(text, left + 5, AXIS_HEIGHT - 11.5);
}
