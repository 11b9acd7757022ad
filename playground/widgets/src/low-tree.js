// Finds the numbers in a column that are small enough, in O(log n) each: a tree of the smallest number in each half, and in
// each half of a half. It knows nothing of what the numbers mean.

/** @param {ArrayLike<number>} values */
export function lowTree(values) {
  const whole = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)));
  const lowest = new Float64Array(2 * whole).fill(Infinity);
  lowest.set(values, whole);
  for (let node = whole; --node > 0;) lowest[node] = Math.min(lowest[2 * node], lowest[2 * node + 1]);
  /**
   * Up to `most` indices from `start` up to, not including, `end` whose value is at most `limit`; the last first if so asked.
   * @param {number} limit @param {number} start @param {number} end @param {number} most @param {boolean} [backwards]
   */
  return (limit, start, end, most, backwards = false) => {
    /** @type {number[]} */
    const found = [];
    const search = (/** @type {number} */ node, /** @type {number} */ left, /** @type {number} */ size) => {
      if (found.length >= most || lowest[node] > limit || left >= end || left + size <= start) return;
      const half = size / 2;
      if (half < 1) found.push(left);
      else for (const right of backwards ? [1, 0] : [0, 1]) search(2 * node + right, left + right * half, half);
    };
    search(1, 0, whole);
    return found;
  };
}
