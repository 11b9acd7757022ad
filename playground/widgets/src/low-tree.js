// Finds the numbers in a column that are small enough, in O(log n) each: a tree of the smallest number in each half, and in
// each half of a half. It knows nothing of what the numbers mean.

/** @param {ArrayLike<number>} values */
export function lowTree(values) {
  const whole = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)));
  const lowest = new Float64Array(2 * whole).fill(Infinity);
  lowest.set(values, whole);
  for (let node = whole; --node > 0;) lowest[node] = Math.min(lowest[2 * node], lowest[2 * node + 1]);
  /**
   * The indices from `start` up to, not including, `end` whose value is at most `limit`, in order, or the last first.
   * @param {number} limit @param {number} start @param {number} end @param {boolean} [backwards] @returns {Generator<number>}
   */
  return function* below(limit, start, end, backwards = false, node = 1, left = 0, size = whole) {
    if (lowest[node] > limit || left >= end || left + size <= start) return;
    if (size === 1) return yield left;
    const half = size / 2;
    for (const right of backwards ? [1, 0] : [0, 1]) yield* below(limit, start, end, backwards, 2 * node + right, left + right * half, half);
  };
}

/** How many of some sorted numbers are at most `limit`. @param {ArrayLike<number>} sorted @param {number} limit */
export function countUpTo(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first of what an iterator gives. @template T @param {Iterable<T>} iterator @param {number} most */
export function take(iterator, most) {
  const taken = [];
  if (most > 0) for (const each of iterator) if (taken.push(each) >= most) break;
  return taken;
}
