// Marks requests that failed with a cross and their status, so that fifty errors do not look like fifty answers.
// Shape first, colour second: the cross tells it, red only stresses it.

import { fillRounded, setFont } from './canvas.js';
import { hasCapsules, laneTop } from './geometry.js';
import { BLOCKED } from './kinds.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./painter.js').Pen} Pen */
/** @typedef {import('./rows.js').Row} Row */

const CROSS = 6;
const SIZE = 10;
const MOST = 400;  // in a lane; more would cover each other

/** How wide a mark is, without the cross's words if `words` is empty. @param {Pen} pen @param {string} words */
export function failureWidth({ context, ruler }, words) {
  setFont(context, 600, SIZE);
  return CROSS + (words === '' ? 0 : 3 + ruler.width(words));
}

/**
 * "× 404" from `left` on; the font is another afterwards.
 * @param {Pen} pen @param {string} words @param {number} left @param {number} middle
 * @returns {number} where it ends
 */
export function paintFailure(pen, words, left, middle) {
  const { context, theme } = pen;
  const width = failureWidth(pen, words);
  context.strokeStyle = theme.kinds[BLOCKED];
  context.lineWidth = 1.8;
  context.beginPath();
  for (const slope of [-1, 1]) {
    context.moveTo(left, middle - (slope * CROSS) / 2);
    context.lineTo(left + CROSS, middle + (slope * CROSS) / 2);
  }
  context.stroke();
  context.fillStyle = theme.ui.text;
  if (words !== '') context.fillText(words, left + CROSS + 3, middle);
  return left + width;
}

/**
 * Marks where no label has room for them: beside the request's end, or upon it where its lane goes on at once.
 * @param {Pen} pen
 * @param {Lane[]} lanes
 * @param {(lane: Lane, index: number) => boolean} isMarked whether a label bears the mark already
 */
export function paintFailuresBeside(pen, lanes, isMarked) {
  const { projection, recording } = pen;
  for (const lane of lanes) {
    const { life } = lane;
    if (life === null) continue;
    const first = life.firstAlive(projection.time(projection.gutter));
    const stop = life.firstFrom(projection.time(projection.width));
    if (stop - first > MOST) continue;
    let free = projection.gutter;
    for (let index = first; index < stop; index++) {
      const words = recording.failureOf({ row: life, index });
      if (words === '' || isMarked(lane, index) || projection.x(life.end(index)) < free) continue;
      const next = index + 1 < life.length ? projection.x(life.start[index + 1]) : projection.width;
      free = paintBeside(pen, lane, words, projection.x(life.end(index)) + 4, Math.min(projection.width, next) - 2);
    }
  }
}

/** @param {Pen} pen @param {Lane} lane @param {string} words @param {number} left @param {number} limit */
function paintBeside(pen, lane, words, left, limit) {
  const { context, projection, theme } = pen;
  const middle = laneTop(lane, projection) + (hasCapsules(lane) ? 7.5 : lane.barTop + lane.barHeight / 2);
  if (lane.barHeight > 9 && left + failureWidth(pen, words) <= limit) return paintFailure(pen, words, left, middle) + 2;
  const at = Math.min(left, limit - CROSS - 2);
  context.fillStyle = theme.ui.bg;
  fillRounded(context, at - 2, middle - CROSS / 2 - 2, CROSS + 4, CROSS + 4, 3);
  return paintFailure(pen, '', at, middle) + 2;
}
