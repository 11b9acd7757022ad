// Finds the next number in a column that is small enough, in O(log n): a tree of the smallest number in each half, and in
// each half of a half. It knows nothing of what the numbers mean.

export class LowTree {
  /** @param {ArrayLike<number>} values */
  constructor(values) {
    this.length = values.length;
    this.size = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)));
    this.lowest = new Float64Array(2 * this.size).fill(Infinity);
    this.lowest.set(values, this.size);
    for (let node = this.size - 1; node > 0; node--) this.lowest[node] = Math.min(this.lowest[2 * node], this.lowest[2 * node + 1]);
  }

  /** The first index from `index` on whose value is at most `limit`; -1 if there is none. @param {number} index @param {number} limit */
  after(index, limit) {
    if (index >= this.length) return -1;
    let node = index + this.size;
    while (this.lowest[node] > limit) {
      while (node & 1) node >>= 1;  // a right half: all of what it is half of is done
      if (node === 0) return -1;
      node += 1;
    }
    while (node < this.size) node = this.lowest[2 * node] <= limit ? 2 * node : 2 * node + 1;
    return node - this.size;
  }

  /** The last index below `index` whose value is at most `limit`; -1 if there is none. @param {number} index @param {number} limit */
  before(index, limit) {
    if (index <= 0) return -1;
    let node = Math.min(index, this.length) - 1 + this.size;
    while (this.lowest[node] > limit) {
      while (node > 1 && !(node & 1)) node >>= 1;
      if (node <= 1) return -1;
      node -= 1;
    }
    while (node < this.size) node = this.lowest[2 * node + 1] <= limit ? 2 * node + 1 : 2 * node;
    return node - this.size;
  }
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
