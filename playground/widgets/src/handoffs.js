// Paints the hand-offs: an arrow from the loop to the worker, and one back.

import { isPinned, laneTop } from './geometry.js';
import { NO_REQUEST } from './rows.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./painter.js').Pen} Pen */

const HEAD = 5.5;

/**
 * @param {Pen} pen
 * @param {(row: number) => Lane | undefined} laneOf a row's lane, by the row's number
 * @param {number} request the selected request's index, or NO_REQUEST
 */
export function paintArrows(pen, laneOf, request) {
  const { projection, recording: { arrows }, theme } = pen;
  const [from, to] = [projection.time(projection.gutter), projection.time(projection.width)];
  const chosen = arrows.choose(from, to, request);
  const isMarked = (/** @type {number} */ arrow) => request !== NO_REQUEST && arrows.request[arrow] === request;
  for (const marked of [false, true]) {  // the selection's lie over the others
    for (const arrow of chosen) {
      if (isMarked(arrow) !== marked) continue;
      const [source, target] = [laneOf(arrows.from[arrow]), laneOf(arrows.to[arrow])];
      if (source === undefined || target === undefined || isHidden(pen, source) || isHidden(pen, target)) continue;
      paintArrow(pen, {
        x0: projection.x(arrows.start[arrow]), x1: projection.x(arrows.end[arrow]), ...ends(pen, source, target),
        colour: marked ? theme.ui.focus : theme.ui.arrow, thickness: marked ? 1.8 : 1,
      });
    }
  }
}

/** Whether a lane is scrolled away, beneath the event loop's. @param {Pen} pen @param {Lane} lane */
function isHidden({ projection, pinnedBottom }, lane) {
  return !isPinned(lane) && laneTop(lane, projection) + lane.height < pinnedBottom + 2;
}

/** Where an arrow leaves one lane and meets the other. @param {Pen} pen @param {Lane} source @param {Lane} target */
function ends({ projection, pinnedBottom }, source, target) {
  const down = target.top > source.top;
  const edge = (/** @type {Lane} */ lane, /** @type {boolean} */ below) => {
    if (isPinned(lane)) return pinnedBottom - (below ? 3 : projection.height);
    return Math.max(pinnedBottom - 1, laneTop(lane, projection) + lane.barTop + (below ? lane.barHeight : 0));
  };
  return { y0: edge(source, down), y1: edge(target, !down), down };
}

/**
 * @param {Pen} pen
 * @param {{ x0: number, y0: number, x1: number, y1: number, down: boolean, colour: string, thickness: number }} arrow
 */
function paintArrow({ context }, { x0, y0, x1, y1, down, colour, thickness }) {
  const back = down ? -HEAD : HEAD;
  const middle = (y0 + y1) / 2;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = thickness;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(x0, middle, x1, middle, x1, y1 + back * 0.8);
  context.stroke();
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x1 - 3.2, y1 + back);
  context.lineTo(x1 + 3.2, y1 + back);
  context.fill();
}

