// Paints what a search found: a line below each span and a wedge above its start, at most one in a few pixels.

import { isPinned, laneTop } from './geometry.js';
import { marksIn } from './search.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./painter.js').Pen} Pen */

const LEAST = 4;  // CSS pixels, of a mark and between two
const WEDGE = 5;

/** @param {Pen} pen @param {(row: import('./rows.js').Row) => Lane | undefined} laneOf @param {import('./search.js').Marks} marks */
export function paintMarks(pen, laneOf, marks) {
  const { context, projection, theme, pinnedBottom } = pen;
  const [from, to] = [projection.time(projection.gutter), projection.time(projection.width)];
  context.fillStyle = theme.ui.focus;
  for (const [row, found] of marks) {
    const lane = laneOf(row);
    if (lane === undefined) continue;
    const top = laneTop(lane, projection);
    if (top > projection.height || (!isPinned(lane) && top < pinnedBottom)) continue;
    for (const [start, end] of marksIn(row, found, from, to, LEAST / projection.scale)) {
      const [x, right] = [projection.x(start), projection.x(end)];
      context.fillRect(x, top + lane.height - 1, Math.max(LEAST - 1, right - x), 2);
      context.beginPath();
      context.moveTo(x - WEDGE, top - 1);
      context.lineTo(x + WEDGE, top - 1);
      context.lineTo(x, top + WEDGE);
      context.fill();
    }
  }
}
