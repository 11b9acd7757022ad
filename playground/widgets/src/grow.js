// Takes into a recording what is new in it, as playground/views/live_packet.py writes it: each row keeps its first spans and
// gets what follows them. A row's tree is added up anew only where it changed, as are the arrows' ends, so that the work is
// in proportion to what is new. It knows spans and arrows, and nothing of a picture.

import { indexEnds } from './arrows.js';
import { extended } from './columns.js';
import { BLOCKED } from './kinds.js';
import { toWhat } from './recording.js';
import { Row, addUp } from './rows.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./wire.js').Packet} Packet */

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
  addUp(row, same ? keep : 0);
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
  indexEnds(arrows, least);
}
