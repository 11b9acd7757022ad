// Where the selection goes next: along a row, across the lanes, along a hand-off, to the next blocked moment.
// Pure: spans in, a span or null out.

/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {import('./rows.js').Row} Row */

/** Where a reader starts who has selected nothing: the loop's first span in view. @param {Recording} recording @param {number} time @returns {Span | null} */
export function firstSpan({ loop, rows }, time) {
  const row = loop !== null && loop.length > 0 ? loop : rows.find(({ length }) => length > 0);
  return row === undefined ? null : { row, index: Math.min(row.length - 1, row.firstAlive(time)) };
}

/** @param {Span} span @param {number} step @returns {Span} */
export function along({ row, index }, step) {
  return { row, index: Math.min(row.length - 1, Math.max(0, index + step)) };
}

/**
 * The span nearest in time in the next lane that has any.
 * @param {Pick<Layout, 'lanes'>} layout
 * @param {Span} span
 * @param {1 | -1} direction down or up
 * @returns {Span | null}
 */
export function across({ lanes }, { row, index }, direction) {
  const rows = /** @type {Row[]} */ (lanes.flatMap((lane) => [lane.life, lane.row]).filter((each) => each !== null));
  const middle = row.start[index] + row.duration[index] / 2;
  for (let i = rows.indexOf(row) + direction; i >= 0 && i < rows.length; i += direction) {
    const found = rows[i].nearest(middle);
    if (found >= 0) return { row: rows[i], index: found };
  }
  return null;
}

/**
 * The other end of the first hand-off that leaves a span.
 * @param {Recording} recording
 * @param {Span} span
 * @returns {Span | null}
 */
export function alongArrow({ arrows, rows }, { row, index }) {
  const arrow = arrows.leaving(rows.indexOf(row), row.start[index], row.end(index));
  if (arrow < 0) return null;
  const target = rows[arrows.to[arrow]];
  const found = target.nearest(arrows.end[arrow]);
  return found < 0 ? null : { row: target, index: found };
}

/**
 * The first blocked stretch that starts after a moment, else the first of all.
 * @param {Recording} recording
 * @param {number} time
 * @returns {Span | null}
 */
export function blockAfter({ loop, blocks }, time) {
  if (loop === null || blocks.length === 0) return null;
  return { row: loop, index: blocks.find((index) => loop.start[index] > time) ?? blocks[0] };
}
