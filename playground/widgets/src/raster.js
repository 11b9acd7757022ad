// Turns a row of any number of spans into at most one value a pixel, in O(pixels · log n).
//
// A walk down the row's extent tree stops where a node is no wider than a pixel and adds its time there as a whole; spans
// that are wide enough to be drawn as bars with names are handed back instead. What piled up in each pixel becomes
// three scanlines of colour (thin, half, full), which the painter stretches to the height of their shape.
// It knows pixels and kinds; not lanes, not themes.

import { BLOCKED, KINDS, LAYER } from './kinds.js';
import { FAN, LEAF } from './rows.js';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {{ start: number, scale: number, width: number }} Window time at pixel 0, pixels a tick, pixels across */
/** @typedef {{ nodes: number, spans: number }} Counts of tree nodes and of spans looked at */

// A blocked stretch narrower than a pixel must not drown among the steps that share it.
const BLOCKED_WEIGHT = 3;

// From this share on a pixel counts as covered: no eye tells the rest, and a state keeps the legend's very colour.
const SOLID = 0.85;

/** How much of each pixel each kind covers, in one lane. */
export class Occupancy {
  /** @param {number} width in pixels */
  constructor(width) {
    this.width = width;
    this.cover = KINDS.map(() => new Float32Array(width));
    this.used = new Uint8Array(width);
  }

  /**
   * @param {number} kind
   * @param {number} from in pixels
   * @param {number} to
   */
  add(kind, from, to) {
    const start = Math.max(0, from);
    const end = Math.min(this.width, to);
    if (start >= end) {
      if (from === to && from >= 0 && from < this.width) this.addAmount(kind, from | 0, from | 0, 0);
      return;
    }
    const cover = this.cover[kind];
    const [first, last] = [start | 0, Math.min(this.width - 1, end | 0)];
    for (let x = first; x <= last; x++) {
      const part = Math.min(x + 1, end) - Math.max(x, start);
      if (part > 0) {
        cover[x] += part;
        this.used[x] = 1;
      }
    }
  }

  /**
   * Spread an amount of coverage evenly over the pixels first to last; something that takes no time at all still shows.
   * @param {number} kind
   * @param {number} first
   * @param {number} last
   * @param {number} amount in pixels
   */
  addAmount(kind, first, last, amount) {
    const cover = this.cover[kind];
    const part = Math.max(amount / (last - first + 1), 1e-6);
    for (let x = first < 0 ? 0 : first; x <= last && x < this.width; x++) {
      cover[x] += part;
      this.used[x] = 1;
    }
  }
}

/**
 * Add what a row shows in a window to an occupancy.
 *
 * @param {Row} row
 * @param {Window} window
 * @param {number} wide spans of at least so many pixels are left out and returned
 * @param {Occupancy} occupancy
 * @param {Counts} counts
 * @returns {number[]} indexes of the wide spans, in order
 */
export function collect(row, window, wide, occupancy, counts) {
  const first = row.firstAlive(window.start);
  const stop = row.firstFrom(window.start + window.width / window.scale);
  /** @type {number[]} */
  const found = [];
  if (first < stop) visit({ row, window, wide, occupancy, counts, found, first, stop }, row.levels.length - 1, 0);
  return found;
}

/**
 * @param {{ row: Row, window: Window, wide: number, occupancy: Occupancy, counts: Counts, found: number[], first: number, stop: number }} walk
 * @param {number} level
 * @param {number} node
 */
function visit(walk, level, node) {
  const { row, window, first, stop } = walk;
  const size = LEAF * FAN ** level;
  const from = Math.max(first, node * size);
  const to = Math.min(stop, (node + 1) * size);
  if (from >= to) return;
  walk.counts.nodes++;
  const whole = from === node * size && to === Math.min(row.length, (node + 1) * size);
  if (whole && to - from > 1) {
    const x0 = (row.start[from] - window.start) * window.scale;
    const x1 = (row.end(to - 1) - window.start) * window.scale;
    if (x1 - x0 <= 1) return addNode(walk, level, node, x0, x1);
  }
  if (level === 0) addSpans(walk, from, to);
  else for (let child = node * FAN; child < (node + 1) * FAN; child++) visit(walk, level - 1, child);
}

/**
 * Add a node as a whole. Where nothing in it took any time, as in virtual time, its first span speaks for it.
 * @param {{ row: Row, window: Window, occupancy: Occupancy }} walk
 * @param {number} level
 * @param {number} node
 * @param {number} x0
 * @param {number} x1
 */
function addNode({ row, window, occupancy }, level, node, x0, x1) {
  const first = Math.floor(x0);
  const last = Math.floor(x1);
  const { kinds } = row;
  const times = row.levels[level];
  const at = node * kinds.length;
  let empty = true;
  for (let slot = 0; slot < kinds.length; slot++) {
    if (times[at + slot] === 0) continue;
    empty = false;
    occupancy.addAmount(kinds[slot], first, last, times[at + slot] * window.scale);
  }
  if (empty) occupancy.addAmount(row.kind[node * LEAF * FAN ** level], first, last, 0);
}

/**
 * @param {{ row: Row, window: Window, wide: number, occupancy: Occupancy, counts: Counts, found: number[] }} walk
 * @param {number} from
 * @param {number} to
 */
function addSpans({ row, window, wide, occupancy, counts, found }, from, to) {
  counts.spans += to - from;
  for (let i = from; i < to; i++) {
    const x = (row.start[i] - window.start) * window.scale;
    const width = row.duration[i] * window.scale;
    if (width >= wide) found.push(i);
    else occupancy.add(row.kind[i], x, x + (width > 3 ? width - 1 : width));  // a pixel of air parts neighbours
  }
}

/**
 * Write an occupancy as three scanlines of RGBA (thin, half, full: one under the other) and clear it.
 *
 * @param {Occupancy} occupancy
 * @param {readonly number[]} kinds that may be in it
 * @param {readonly (readonly [number, number, number])[]} colours by kind
 * @param {Uint32Array} pixels
 * @param {number} at index of the first pixel of the first scanline
 */
export function compose(occupancy, kinds, colours, pixels, at) {
  for (const layer of Object.values(LAYER)) {
    const its = kinds.filter((kind) => LAYER[KINDS[kind].shape] === layer);
    if (its.length > 0) composeLayer(occupancy, its, colours, pixels, at + layer * occupancy.width);
  }
  for (const kind of kinds) occupancy.cover[kind].fill(0);
  occupancy.used.fill(0);
}

/**
 * One scanline. Every pixel of every lane passes here in every frame, so it is plain arithmetic on local numbers.
 * @param {Occupancy} occupancy
 * @param {number[]} kinds
 * @param {readonly (readonly [number, number, number])[]} colours
 * @param {Uint32Array} pixels
 * @param {number} at
 */
function composeLayer({ width, used, cover }, kinds, colours, pixels, at) {
  for (let x = 0; x < width; x++) {
    if (used[x] === 0) continue;
    let [red, green, blue, weight] = [0, 0, 0, 0];
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i];
      const share = kind === BLOCKED ? cover[kind][x] * BLOCKED_WEIGHT : cover[kind][x];
      if (share === 0) continue;
      const colour = colours[kind];
      red += colour[0] * share;
      green += colour[1] * share;
      blue += colour[2] * share;
      weight += share;
    }
    if (weight > 0) pixels[at + x] = pack(red / weight, green / weight, blue / weight, weight);
  }
}

/**
 * RGBA in the byte order of a canvas. A pixel that is covered in part is painted in part, but never so faintly that a
 * single short span could be missed.
 * @param {number} red @param {number} green @param {number} blue @param {number} weight
 */
function pack(red, green, blue, weight) {
  const alpha = weight >= SOLID ? 255 : 51 + 204 * Math.sqrt(weight);
  return ((Math.round(alpha) << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}
