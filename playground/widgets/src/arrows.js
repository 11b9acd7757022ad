// The hand-offs between the loop and the workers: which of them to draw in a stretch of time.
//
// All of them while they are few, else only those of the selected request. The arrows stand in order of their start;
// the latest end in each block of 64 lets a query skip blocks that were over before the stretch began.
// It knows rows by number only, and nothing of where they are drawn.

import { cleared } from './columns.js';
import { NO_REQUEST, firstReached } from './rows.js';

export const FEW = 160;  // beyond this, measured on the spike's screenshots, arrows hide the bars they join
const BLOCK = 64;

export class Arrows {
  /** @param {Record<string, any>} columns */
  constructor(columns) {
    const order = Uint32Array.from(columns.arrow_start.keys()).sort((a, b) => columns.arrow_start[a] - columns.arrow_start[b]);
    const pick = (/** @type {string} */ name) => columns[name].map((/** @type {number} */ _, /** @type {number} */ i) => columns[name][order[i]]);
    /** @type {Uint32Array} */
    this.start = pick('arrow_start');
    /** @type {Uint32Array} */
    this.end = pick('arrow_end');
    /** @type {Uint16Array} */
    this.from = pick('arrow_from');
    /** @type {Uint16Array} */
    this.to = pick('arrow_to');
    /** @type {Uint32Array} */
    this.request = pick('arrow_request');
    this.length = this.start.length;
    /** @type {Uint32Array} */
    this.latest = new Uint32Array(0);
    indexEnds(this, 0);
  }

  /**
   * The arrows to draw between two moments.
   * @param {number} from in ticks
   * @param {number} to in ticks
   * @param {number} request the selected request's index, or NO_REQUEST
   * @returns {number[]} indexes; all that touch the stretch if they are few, else the request's
   */
  choose(from, to, request) {
    const few = this.touching(from, to, FEW + 1, NO_REQUEST);
    if (few.length <= FEW) return few;
    return request === NO_REQUEST ? [] : this.touching(from, to, FEW, request);
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} limit
   * @param {number} request only this request's, or all for NO_REQUEST
   */
  touching(from, to, limit, request) {
    const found = [];
    for (let block = 0; block < this.latest.length && this.start[block * BLOCK] < to; block++) {
      if (this.latest[block] < from) continue;
      const stop = Math.min(this.length, (block + 1) * BLOCK);
      for (let i = block * BLOCK; i < stop && this.start[i] < to; i++) {
        if (this.end[i] < from || (request !== NO_REQUEST && this.request[i] !== request)) continue;
        found.push(i);
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  /**
   * The first arrow that leaves a row within a stretch of time, or -1.
   * @param {number} row
   * @param {number} from
   * @param {number} to
   */
  leaving(row, from, to) {
    for (let i = firstReached(0, this.length, (arrow) => this.start[arrow] >= from); i < this.length && this.start[i] <= to; i++) if (this.from[i] === row) return i;
    return -1;
  }
}

/** Note the latest end in each block, from the one on that holds the arrow `from`; what stands before it stays. @param {Arrows} arrows @param {number} from */
export function indexEnds(arrows, from) {
  const { end, length } = arrows;
  const block = Math.floor(from / BLOCK);
  const latest = arrows.latest = cleared(arrows.latest, block, Math.ceil(length / BLOCK));
  for (let i = block * BLOCK; i < length; i++) latest[(i / BLOCK) | 0] = Math.max(latest[(i / BLOCK) | 0], end[i]);
}
