// Columns of numbers that become longer: by doubling, so that what is new costs no more than itself. What stands in them is
// for others to know.

/** @typedef {Uint8Array | Uint16Array | Uint32Array | Float64Array} Numbers */

/**
 * The first numbers of a column and what follows them. The column is written over where there is room.
 * @template {Numbers} T
 * @param {T} column
 * @param {number} keep
 * @param {ArrayLike<number>} fresh
 * @returns {T}
 */
export function extended(column, keep, fresh) {
  const longer = resized(column, keep, keep + fresh.length);
  longer.set(fresh, keep);
  return longer;
}

/**
 * A column with nothing in it from a number on. One that is made for it is no longer than was asked for.
 * @param {Uint32Array | undefined} column
 * @param {number} keep
 * @param {number} length
 */
export function cleared(column, keep, length) {
  return column === undefined ? new Uint32Array(length) : resized(column, Math.min(keep, column.length), length).fill(0, keep);
}

/**
 * @template {Numbers} T
 * @param {T} column whose buffer is its own, or empty
 * @param {number} keep
 * @param {number} length
 * @returns {T}
 */
function resized(column, keep, length) {
  const Kind = /** @type {any} */ (column.constructor);
  let { buffer } = column;
  if (buffer.byteLength < length * Kind.BYTES_PER_ELEMENT) {
    buffer = new ArrayBuffer(2 * length * Kind.BYTES_PER_ELEMENT);
    new Kind(buffer).set(column.subarray(0, keep));
  }
  return new Kind(buffer, 0, length);
}
