// Paints time: the axis with its ticks, the blocked stretches' chips and bands, the grid, and the moment under the pointer.

import { clipped, fillRounded, setFont } from './canvas.js';
import { formatDuration, formatMoment } from './format.js';
import { AXIS_HEIGHT, timeTicks } from './geometry.js';
import { BLOCKED } from './kinds.js';
import { textOn } from './theme.js';

/** @typedef {import('./painter.js').Pen} Pen */
/** @typedef {{ left: number, right: number, duration: number }} Band a blocked stretch in pixels, and its length in ticks */
/** @typedef {{ at: number, label: string }[]} Ticks */

const MOST_BANDS = 60;  // more would tint the whole picture

/** @param {Pen} pen @returns {Ticks} */
export function ticksOf({ projection, recording }) {
  const { start, end, left, right } = projection;
  const [startNs, endNs] = [recording.ns(start), recording.ns(end)];
  const { ticks, step } = timeTicks(startNs, endNs, Math.max(2, Math.round((right - left) / 110)));
  return ticks.map((ns) => ({ at: Math.round(projection.x(ns / recording.tickNs)), label: formatMoment(ns, step, endNs) }));
}

/**
 * Blocked stretches in view that are at least three pixels wide.
 * @param {Pen} pen
 * @returns {Band[]}
 */
export function bandsOf({ projection, recording: { loop, blocks } }) {
  if (loop === null) return [];
  const [from, to] = [projection.time(projection.gutter), projection.time(projection.width)];
  const bands = [];
  for (let i = firstEndingAfter(blocks, (index) => loop.end(index), from); i < blocks.length && loop.start[blocks[i]] < to; i++) {
    const index = blocks[i];
    if (loop.duration[index] * projection.scale < 3) continue;
    const left = Math.max(projection.gutter, projection.x(loop.start[index]));
    bands.push({ left, right: Math.min(projection.width, projection.x(loop.end(index))), duration: loop.duration[index] });
    if (bands.length > MOST_BANDS) return [];
  }
  return bands;
}

/** @param {number[]} indexes @param {(index: number) => number} end @param {number} time */
function firstEndingAfter(indexes, end, time) {
  let low = 0;
  for (let high = indexes.length; low < high;) {
    const middle = (low + high) >> 1;
    if (end(indexes[middle]) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
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

/** @param {Pen} pen @param {Ticks} ticks @param {Band[]} bands */
export function paintAxis(pen, ticks, bands) {
  const { context, projection, theme, recording } = pen;
  context.fillStyle = theme.ui.panel;
  context.fillRect(0, 0, projection.width, AXIS_HEIGHT);
  context.fillStyle = theme.ui.line;
  context.fillRect(0, AXIS_HEIGHT - 1, projection.width, 1);
  context.textBaseline = 'middle';
  clipped(context, [projection.gutter - 1, 0, projection.width, AXIS_HEIGHT], () => {
    const taken = paintChips(pen, bands);
    paintTicks(pen, ticks, taken);
  });
  setFont(context, 400, 11);
  context.fillStyle = theme.ui.faint;
  const shown = formatDuration(recording.ns(projection.end - projection.start));
  context.fillText(projection.gutter > 140 ? `${shown} shown` : shown, 14, AXIS_HEIGHT / 2);
}

/**
 * "loop blocked 230 ms" in the middle of each blocked stretch that has room for it.
 * @param {Pen} pen
 * @param {Band[]} bands
 * @returns {[number, number][]} what they cover of the axis
 */
function paintChips({ context, theme, ruler, recording }, bands) {
  setFont(context, 600, 10.5);
  /** @type {[number, number][]} */
  const taken = [];
  for (const { left, right, duration } of bands) {
    const text = `loop blocked ${formatDuration(recording.ns(duration))}`;
    const half = ruler.width(text) / 2;
    if (right - left < 2 * half + 16) continue;
    const middle = (left + right) / 2;
    context.fillStyle = theme.kinds[BLOCKED];
    fillRounded(context, middle - half - 8, 6, 2 * half + 16, 18, 9);
    context.fillStyle = textOn(theme.kinds[BLOCKED]);
    context.fillText(text, middle - half, 15.5);
    taken.push([middle - half - 12, middle + half + 12]);
  }
  return taken;
}

/** @param {Pen} pen @param {Ticks} ticks @param {[number, number][]} taken */
function paintTicks({ context, projection, theme, ruler }, ticks, taken) {
  setFont(context, 400, 11);
  for (const { at, label } of ticks) {
    context.fillStyle = theme.ui.line;
    context.fillRect(at, AXIS_HEIGHT - 7, 1, 6);
    const width = ruler.width(label);
    const left = Math.max(projection.gutter + 3, Math.min(projection.width - width - 4, at - width / 2));
    if (taken.some(([from, to]) => left + width > from && left < to)) continue;
    context.fillStyle = theme.ui.muted;
    context.fillText(label, left, AXIS_HEIGHT / 2 - 1);
  }
}

/** The moment under the pointer: a line through all lanes and its time on the axis. @param {Pen} pen @param {number} x */
export function paintMoment({ context, projection, theme, ruler, recording }, x) {
  context.save();
  context.globalAlpha = 0.5;
  context.fillStyle = theme.ui.faint;
  context.fillRect(Math.round(x), AXIS_HEIGHT, 1, projection.height);
  context.restore();
  setFont(context, 600, 10.5);
  const step = 10 ** Math.floor(Math.log10(recording.ns(1 / projection.scale)));
  const text = formatMoment(Math.max(0, recording.ns(projection.time(x))), step);
  const half = ruler.width(text) / 2;
  const middle = Math.min(projection.width - half - 6, Math.max(projection.gutter + half + 6, x));
  context.fillStyle = theme.ui.text;
  fillRounded(context, middle - half - 5, AXIS_HEIGHT - 20, 2 * half + 10, 16, 4);
  context.fillStyle = theme.ui.bg;
  context.textBaseline = 'middle';
  context.fillText(text, middle - half, AXIS_HEIGHT - 11.5);
}
