// A decoded timeline packet as the views ask it: rows with their trees, names, requests, findings, blocks and arrows.
// It checks that the packet is one, turns gaps into moments, and knows nothing of pixels.

import { Arrows } from './arrows.js';
import { BLOCKED } from './kinds.js';
import { NO_REQUEST, Row } from './rows.js';

/** @typedef {import('./wire.js').Packet} Packet */
/** @typedef {{ label: string, file: string, line: number, function: string, text: string, call: string }} What `call` is what a blocking step was seen in for the longest time, or nothing */
/** @typedef {{ number: number, label: string, path: string, status: number | null, error: string | null, failure: string }} Request `failure` is how it failed, or nothing */
/** @typedef {{ legend: string, told: string }} KindWords a kind in the legend, and of one span */
/** @typedef {{ rule: string, severity: string, parts: [string, string][], start_ns: number, end_ns: number }} Finding */
/** @typedef {{ row: Row, index: number }} Span one span: a row and an index in it */

export class Recording {
  /** @param {Packet} packet */
  constructor({ header, columns }) {
    if (header.view !== 'timeline') {
      throw new Error(`expected a packet of the view "timeline", found ${JSON.stringify(header.view)}: restart the kernel if playground was updated`);
    }
    this.title = String(header.title);
    this.clock = header.clock === 'virtual' ? 'virtual' : 'real';
    this.summary = String(header.summary);
    this.dropped = Number(header.dropped);
    this.tickNs = Number(header.tick_ns);
    /** Length of the run in ticks; at least one, so that an empty recording has an axis too. */
    this.duration = Math.max(1, header.duration_ns / header.tick_ns);
    /** @type {KindWords[]} by the kinds' numbers */
    this.kindWords = header.kinds.map(toKindWords);
    /** @type {What[]} */
    this.whats = header.whats.map(toWhat);
    /** @type {Request[]} */
    this.requests = header.requests.map(toRequest);
    /** @type {Finding[]} */
    this.findings = header.findings;
    /** What the mark of a failed request means. */
    this.failedWords = String(header.failed);
    /** What stands behind the spans, unread: see `details`. */
    this.told = { words: header.told, stream: /** @type {Uint8Array} */ (columns.details), texts: /** @type {Uint8Array} */ (columns.texts) };
    this.rows = makeRows(header.rows, header.offsets, columns);
    this.arrows = new Arrows(columns);
    this.loop = this.rows.find((row) => row.group === 'loop') ?? null;
    this.blocks = this.loop === null ? [] : indexesOf(this.loop, BLOCKED);
    this.requestsAtOnce = overlap(this.rows.filter((row) => row.group === 'life'));
  }

  /** @param {Span} span */
  whatOf({ row, index }) {
    return this.whats[row.what[index]];
  }

  /**
   * The request that a span belongs to, or null.
   * @param {Span} span
   */
  requestOf({ row, index }) {
    const request = row.request[index];
    return request === NO_REQUEST ? null : this.requests[request];
  }

  /** How the request of a span failed, or nothing. @param {Span} span */
  failureOf(span) {
    return this.requestOf(span)?.failure ?? '';
  }

  /** @param {number} ticks */
  ns(ticks) {
    return ticks * this.tickNs;
  }

  /** Numbers of the kinds that occur outside the rows of requests' lives, which have a shape of their own. */
  get kinds() {
    return new Set(this.rows.filter((row) => row.group !== 'life').flatMap((row) => row.kinds));
  }
}

/** @param {any[]} entry @returns {KindWords} */
function toKindWords([legend, told]) {
  return { legend, told };
}

/** @param {any[]} entry @returns {What} */
function toWhat([label, file, line, inFunction, text, call]) {
  return { label, file, line, function: inFunction, text, call };
}

/** @param {any[]} entry @returns {Request} */
function toRequest([number, label, path, status, error, failure]) {
  return { number, label, path, status, error, failure };
}

/**
 * @param {import('./rows.js').RowMeta[]} metas
 * @param {number[]} offsets
 * @param {Record<string, any>} columns
 */
function makeRows(metas, offsets, columns) {
  return metas.map((meta, index) => {
    const [from, to] = [offsets[index], offsets[index + 1]];
    const start = columns.start.subarray(from, to);
    for (let i = 1; i < start.length; i++) start[i] += start[i - 1];
    const [duration, kind, what, request] = ['duration', 'kind', 'what', 'request'].map((name) => columns[name].subarray(from, to));
    return new Row(meta, { start, duration, kind, what, request });
  });
}

/** @param {Row} row @param {number} kind */
function indexesOf(row, kind) {
  const found = [];
  for (let i = 0; i < row.length; i++) if (row.kind[i] === kind) found.push(i);
  return found;
}

/**
 * The greatest number of spans alive at one moment; an end counts before a start at the same tick.
 * @param {Row[]} rows
 */
export function overlap(rows) {
  const starts = Float64Array.from(rows.flatMap((row) => Array.from(row.start))).sort();
  const ends = Float64Array.from(rows.flatMap((row) => Array.from(row.start, (start, i) => start + row.duration[i]))).sort();
  let most = 0;
  for (let started = 0, ended = 0; started < starts.length; started++) {
    while (ended < ends.length && ends[ended] <= starts[started]) ended++;
    most = Math.max(most, started + 1 - ended);
  }
  return most;
}
