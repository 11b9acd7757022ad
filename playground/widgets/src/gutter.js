// Paints the names of the lanes, on the left.

import { clipped, setFont } from './canvas.js';
import { failureWidth, paintFailure } from './failures.js';
import { AXIS_HEIGHT, isPinned, laneTop } from './geometry.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./painter.js').Pen} Pen */

/** @param {Pen} pen @param {Lane[]} lanes */
export function paintGutter(pen, lanes) {
  const { context, projection, theme, pinnedBottom } = pen;
  const { gutter, width, height } = projection;
  context.textBaseline = 'middle';
  context.fillStyle = theme.ui.bg;
  context.fillRect(0, AXIS_HEIGHT, gutter - 1, height);
  clipped(context, [0, pinnedBottom, width, height], () => {
    for (const lane of lanes) if (!isPinned(lane)) paintName(pen, lane);
  });
  for (const lane of lanes) if (isPinned(lane)) paintName(pen, lane);
  context.fillStyle = theme.ui.line;
  if (pen.recording.noun !== 'job') context.fillRect(gutter - 1, AXIS_HEIGHT, 1, height);  // it would cut the headings
  context.fillRect(0, pinnedBottom, width, 1);
}

/** @param {Pen} pen @param {Lane} lane */
function paintName(pen, lane) {
  const { context, projection, theme, ruler } = pen;
  const top = laneTop(lane, projection);
  const middle = top + lane.height / 2 + 0.5;
  const room = (lane.group === 'heading' ? projection.width : projection.gutter) - 28;
  /** @param {string} text @param {number} x @param {number} weight @param {number} size @param {string} colour */
  const write = (text, x, weight, size, colour) => {
    setFont(context, weight, size);
    context.fillStyle = colour;
    context.fillText(ruler.fit(text, room + 14 - x), x, middle);
    return x + ruler.width(text);
  };
  const { text, muted, faint, line } = theme.ui;
  if (lane.group === 'heading') {
    context.fillStyle = line;
    if (top - 5 > pen.pinnedBottom + 2) context.fillRect(0, top - 5, projection.width, 1);
    const end = write(lane.name, 14, 600, 11, text);
    write(lane.note, end + 7, 400, 11, faint);
  } else if (lane.group === 'loop') {
    write(lane.name, 14, 600, 12, text);
    if (projection.gutter > 140) paintBusy(pen, middle);
  } else if (lane.group === 'inside') {
    write(projection.gutter > 140 ? lane.name : 'inside', 14, 400, 11, faint);
  } else if (lane.group === 'worker') {
    write(lane.name, 22, 400, 11.5, muted);
  } else if (lane.name !== '') {
    paintRequestName(pen, lane, middle);
  }
}

/** What a thin lane's request is called, and how it failed if the lane holds no other. @param {Pen} pen @param {Lane} lane @param {number} middle */
function paintRequestName(pen, { name, life }, middle) {
  const { context, projection, theme, ruler, recording } = pen;
  const failure = life?.length === 1 ? recording.failureOf({ row: life, index: 0 }) : '';
  const room = projection.gutter - 28 - (failure === '' ? 0 : failureWidth(pen, failure) + 5);
  setFont(context, 400, 10);
  context.fillStyle = theme.ui.muted;
  const words = ruler.fit(name, room);
  context.fillText(words, 22, middle);
  if (failure !== '') paintFailure(pen, failure, 22 + ruler.width(words) + 5, middle);
}

/** How much of the visible time the loop was busy, in per cent. @param {Pen} pen @param {number} middle */
function paintBusy({ context, projection, theme, ruler, recording }, middle) {
  const { start } = projection;
  const end = Math.min(projection.end, recording.duration);  // beside a longer run, the stretch goes past this one's end
  if (recording.loop === null || start >= end) return;
  const text = `${Math.round((100 * recording.loop.busy(start, end)) / (end - start))}% busy`;
  setFont(context, 400, 11);
  context.fillStyle = theme.ui.faint;
  context.fillText(text, projection.gutter - 12 - ruler.width(text), middle);
}
