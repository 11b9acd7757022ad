// One row of spans and its extent tree, so that a question about a stretch of time costs O(log n).
//
// The spans of a row never overlap and stand in order of their start. The tree is implicit: node k of level 0 covers
// the spans [16k, 16k + 16), node k of a level above covers four nodes below. A node stores only the time that each
// kind takes up in it, which is no more than the run and so fits a span's own type; its extent is read from the first and
// last span. A row knows ticks, not pixels.

import { cleared } from './columns.js';

export const LEAF = 16;
export const FAN = 4;
export const NO_REQUEST = 0xffffffff;

/** @typedef {{ group: string, lane: number, name: string, note?: string }} RowMeta the note is a heading's; of another row, what heads it */
/**
 * @typedef {object} SpanColumns
 * @property {Uint32Array} start absolute, in ticks
 * @property {Uint32Array} duration in ticks
 * @property {Uint8Array} kind
 * @property {Uint16Array | Uint32Array} what
 * @property {Uint32Array} request
 */

export class Row {
  /**
   * @param {RowMeta} meta
   * @param {SpanColumns} spans
   */
  constructor(meta, spans) {
    this.group = meta.group;
    this.lane = meta.lane;
    this.name = meta.name;
    this.note = meta.note ?? '';
    this.start = spans.start;
    this.duration = spans.duration;
    this.kind = spans.kind;
    this.what = spans.what;
    this.request = spans.request;
    this.length = spans.start.length;
    this.kinds = kindsIn(spans.kind);
    /** @type {Uint32Array[]} time by kind, in ticks, for each node of each level: `this.kinds.length` numbers a node */
    this.levels = [];
    addUp(this, 0);
  }

  /** @param {number} index */
  end(index) {
    return this.start[index] + this.duration[index];
  }

  /**
   * Index of the first span that starts at `time` or later.
   * @param {number} time
   */
  firstFrom(time) {
    return firstReached(0, this.length, (index) => this.start[index] >= time);
  }

  /**
   * Index of the first span that ends after `time`.
   * @param {number} time
   */
  firstAlive(time) {
    const next = this.firstFrom(time);
    return next > 0 && this.end(next - 1) > time ? next - 1 : next;
  }

  /**
   * Index of the span at `time`, or of the nearest one no farther than `slack`; -1 if there is none.
   * @param {number} time
   * @param {number} [slack]
   */
  nearest(time, slack = Infinity) {
    const after = this.firstFrom(time);
    let best = -1;
    let distance = slack;
    for (const index of [after, after - 1]) {  // at a seam, the span that begins
      if (index < 0 || index >= this.length) continue;
      const away = Math.max(this.start[index] - time, time - this.end(index), 0);
      if (away < distance || (away <= distance && best < 0)) {
        best = index;
        distance = away;
      }
    }
    return best;
  }

  /**
   * Ticks in [from, to) that spans of this row take up; O(log n).
   * @param {number} from
   * @param {number} to
   */
  busy(from, to) {
    const first = this.firstAlive(from);
    const stop = this.firstFrom(to);
    if (first >= stop) return 0;
    const whole = sumSpans(this, first, stop);
    const before = Math.max(0, from - this.start[first]);
    const beyond = Math.max(0, this.end(stop - 1) - to);
    return whole - before - beyond;
  }
}

/** @param {Uint8Array} kind */
function kindsIn(kind) {
  const seen = new Uint8Array(256);
  for (let i = 0; i < kind.length; i++) seen[kind[i]] = 1;
  return Array.from(seen.keys()).filter((k) => seen[k]);
}

/** Add up a row's tree, from the node on that holds the span `from`; what stands before it stays. @param {Row} row @param {number} from */
export function addUp(row, from) {
  const width = row.kinds.length;
  const slot = new Uint8Array(256);
  row.kinds.forEach((kind, index) => (slot[kind] = index));
  let first = Math.floor(from / LEAF);
  let nodes = Math.ceil(row.length / LEAF);
  const leaves = cleared(row.levels[0], first * width, nodes * width);
  for (let i = first * LEAF; i < row.length; i++) leaves[((i / LEAF) | 0) * width + slot[row.kind[i]]] += row.duration[i];
  const levels = [leaves];
  while (nodes > 1) {
    const below = levels[levels.length - 1];
    const count = Math.ceil(nodes / FAN);
    first = Math.floor(first / FAN);
    const level = cleared(row.levels[levels.length], first * width, count * width);
    for (let node = first * FAN; node < nodes; node++) {
      const to = ((node / FAN) | 0) * width;
      for (let k = 0; k < width; k++) level[to + k] += below[node * width + k];
    }
    levels.push(level);
    nodes = count;
  }
  row.levels = levels;
}

/**
 * Sum of the durations of the spans [first, stop): climbs while whole nodes fit, descends where they no longer do.
 * @param {Row} row
 * @param {number} first
 * @param {number} stop
 */
function sumSpans(row, first, stop) {
  const width = row.kinds.length;
  let sum = 0;
  let at = first;
  while (at < stop) {
    let level = -1;
    let size = 1;
    while (level + 1 < row.levels.length) {
      const bigger = level < 0 ? LEAF : size * FAN;
      if (at % bigger !== 0 || at + bigger > stop) break;
      size = bigger;
      level++;
    }
    if (level < 0) sum += row.duration[at];
    else for (let k = 0, node = (at / size) * width; k < width; k++) sum += row.levels[level][node + k];
    at += size;
  }
  return sum;
}

/** The spans of a row that fit. @param {Row} row @param {(index: number) => boolean} fits @param {number} [from] @param {number} [to] */
export function where(row, fits, from = 0, to = row.length) {
  const found = [];
  for (let index = from; index < to; index++) if (fits(index)) found.push(index);
  return found;
}

/**
 * The first number from `low` up to `high` at which something is reached, found by halves; else `high`.
 * @param {number} low
 * @param {number} high
 * @param {(at: number) => boolean} isReached true of all numbers that follow one of which it is true
 */
export function firstReached(low, high, isReached) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
