// What a drag on the minimap means: move the window, pull one of its edges, or mark a new one. Pure arithmetic.

/** @typedef {import('./geometry.js').Range} Range */
/** @typedef {'start' | 'end' | 'move' | 'new'} Grip */

const REACH = 6;  // CSS pixels from an edge within which it is grabbed
export const CLICK = 4;  // CSS pixels that a pointer may move and still have clicked

/**
 * What a pointer takes hold of.
 * @param {number} x
 * @param {number} left of the window, in pixels
 * @param {number} right
 * @param {boolean} whole the window shows the whole run, so there is nothing to move
 * @returns {Grip}
 */
export function gripAt(x, left, right, whole) {
  if (whole) return 'new';
  if (Math.abs(x - left) <= REACH && x <= (left + right) / 2) return 'start';
  if (Math.abs(x - right) <= REACH) return 'end';
  return x > left && x < right ? 'move' : 'new';
}

/**
 * The range that a drag asks for.
 * @param {Grip} grip
 * @param {Range} range as it was when the drag began
 * @param {number} from time under the pointer when the drag began
 * @param {number} to time under the pointer now
 * @returns {Range}
 */
export function dragged(grip, range, from, to) {
  if (grip === 'move') return { start: range.start + to - from, end: range.end + to - from };
  const fixed = { start: range.end, end: range.start, new: from }[grip];
  return { start: Math.min(fixed, to), end: Math.max(fixed, to) };
}

/** A range of the same width around a moment. @param {Range} range @param {number} time @returns {Range} */
export function centred({ start, end }, time) {
  const half = (end - start) / 2;
  return { start: time - half, end: time + half };
}
