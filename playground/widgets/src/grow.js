// Takes into a recording what is new in it, as playground/views/live_packet.py writes it: each row keeps its first spans and
// gets what follows them. Columns grow by doubling, and a row's tree is added up anew only where it changed, so that the
// work is in proportion to what is new. It knows spans and arrows, and nothing of a picture.

import { BLOCKED } from './kinds.js';
import { toWhat } from './recording.js';
import { FAN, LEAF, Row } from './rows.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./wire.js').Packet} Packet */
/** @typedef {Uint8Array | Uint16Array | Uint32Array | Float64Array} Numbers */

const BLOCK = 64;  // as in `arrows`

/** @param {Recording} recording @param {Packet} packet */
export function grow(recording, { header, columns }) {
  recording.tickNs = header.tick_ns;
  recording.duration = Math.max(1, header.duration_ns / header.tick_ns);
  recording.summary = String(header.summary);
  recording.dropped = header.dropped;
  recording.requestsAtOnce = header.at_once;
  recording.whats.push(...header.whats.map(toWhat));
  for (const [index, [number, label, path, status, error, failure]] of header.requests) recording.requests[index] = { number, label, path, status, error, failure };
  for (const meta of header.rows) recording.rows.push(new Row(meta, noSpans()));
  let at = 0;
  for (const [number, keep, count] of header.patches) {
    const row = recording.rows[number];
    growRow(row, keep, (name) => columns[name].subarray(at, at + count));
    if (row === recording.loop) growBlocks(recording.blocks, row, keep);
    at += count;
  }
  growArrows(recording.arrows, columns);
}

function noSpans() {
  return { start: new Uint32Array(0), duration: new Uint32Array(0), kind: new Uint8Array(0), what: new Uint32Array(0), request: new Uint32Array(0) };
}

/**
 * @param {Row} row
 * @param {number} keep how many of its spans stand
 * @param {(name: string) => any} fresh the columns of those that follow; starts as gaps, the first from 0
 */
export function growRow(row, keep, fresh) {
  if (row.length === 0) Object.assign(row, noSpans());  // an empty column may be of narrower numbers
  const start = fresh('start').slice();
  for (let i = 1; i < start.length; i++) start[i] += start[i - 1];
  row.start = extended(row.start, keep, start);
  row.duration = extended(row.duration, keep, fresh('duration'));
  row.kind = extended(row.kind, keep, fresh('kind'));
  row.what = extended(row.what, keep, fresh('what'));
  row.request = extended(row.request, keep, fresh('request'));
  row.length = row.start.length;
  const kinds = new Set([...row.kinds, ...row.kind.subarray(keep)]);
  const same = kinds.size === row.kinds.length;
  if (!same) row.kinds = [...kinds].sort((a, b) => a - b);
  growTree(row, same ? keep : 0);
}

/**
 * The first numbers of a column and what follows them. The column is written over where there is room.
 * @template {Numbers} T
 * @param {T} column
 * @param {number} keep
 * @param {ArrayLike<number>} fresh
 * @returns {T}
 */
function extended(column, keep, fresh) {
  const longer = resized(column, keep, keep + fresh.length);
  longer.set(fresh, keep);
  return longer;
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

/** Add up a row's tree from the node on that holds the span `from`. @param {Row} row @param {number} from */
function growTree(row, from) {
  const width = row.kinds.length;
  const slot = new Uint8Array(256);
  row.kinds.forEach((kind, index) => (slot[kind] = index));
  let first = Math.floor(from / LEAF);
  let count = Math.ceil(row.length / LEAF);
  const leaves = cleared(row.levels[0], first * width, count * width);
  for (let i = first * LEAF; i < row.length; i++) leaves[Math.floor(i / LEAF) * width + slot[row.kind[i]]] += row.duration[i];
  const levels = [leaves];
  while (count > 1) {
    const below = levels[levels.length - 1];
    const nodes = count;
    first = Math.floor(first / FAN);
    count = Math.ceil(nodes / FAN);
    const level = cleared(row.levels[levels.length], first * width, count * width);
    for (let node = first * FAN; node < nodes; node++) {
      for (let k = 0; k < width; k++) level[Math.floor(node / FAN) * width + k] += below[node * width + k];
    }
    levels.push(level);
  }
  row.levels = levels;
}

/** A level with nothing in it from a number on. @param {Uint32Array | undefined} level @param {number} keep @param {number} length */
function cleared(level, keep, length) {
  return resized(level ?? new Uint32Array(0), Math.min(keep, level?.length ?? 0), length).fill(0, keep);
}

/** @param {number[]} blocks @param {Row} row @param {number} keep */
function growBlocks(blocks, row, keep) {
  while (blocks.length > 0 && blocks[blocks.length - 1] >= keep) blocks.pop();
  for (let i = keep; i < row.length; i++) if (row.kind[i] === BLOCKED) blocks.push(i);
}

/** New arrows come nearly in order of their start: each moves up to its place. @param {any} arrows @param {Record<string, any>} columns */
function growArrows(arrows, columns) {
  const fields = ['start', 'end', 'from', 'to', 'request'];
  const count = columns.arrow_start.length;
  if (count === 0) return;
  const old = arrows.length;
  for (const name of fields) arrows[name] = extended(old === 0 ? new Uint32Array(0) : arrows[name], old, columns[`arrow_${name}`]);
  arrows.length = old + count;
  let least = old;
  for (let i = old; i < arrows.length; i++) {
    const values = fields.map((name) => arrows[name][i]);
    let at = i;
    while (at > 0 && arrows.start[at - 1] > values[0]) at--;
    fields.forEach((name, k) => arrows[name].copyWithin(at + 1, at, i).fill(values[k], at, at + 1));
    least = Math.min(least, at);
  }
  const block = Math.floor(least / BLOCK);
  arrows.latest = resized(arrows.latest, block, Math.ceil(arrows.length / BLOCK)).fill(0, block);
  for (let i = block * BLOCK; i < arrows.length; i++) {
    const its = Math.floor(i / BLOCK);
    arrows.latest[its] = Math.max(arrows.latest[its], arrows.end[i]);
  }
}
