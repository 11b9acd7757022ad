// A decoded timeline packet as the views ask it: rows with their trees, names, requests, findings, blocks and arrows.
// It checks that the packet is one, turns gaps into moments, and knows nothing of pixels.

import { Arrows } from './arrows.js';
import { BLOCKED } from './kinds.js';
import { NO_REQUEST, Row, where } from './rows.js';

/** @typedef {import('./wire.js').Packet} Packet */
/** @typedef {{ label: string, file: string, line: number, function: string, text: string, call: string }} What `call` is what a blocking step was seen in for the longest time, or nothing */
/** @typedef {{ number: number, label: string, path: string, status: number | null, error: string | null, failure: string }} Request `failure` is how it failed, or nothing */
/** @typedef {{ legend: string, told: string }} KindWords a kind in the legend, and of one span */
/** @typedef {{ rule: string, severity: string, parts: [string, string][], start_ns: number, end_ns: number, row?: number }} Finding */
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
    /** Whether there was no run: the summary says so, and there are no lanes to show. */
    this.nothing = header.nothing === true;
    this.tickNs = Number(header.tick_ns);
    /** Length of the run in ticks; at least one, so that an empty recording has an axis too. */
    this.duration = Math.max(1, header.duration_ns / header.tick_ns);
    /** @type {KindWords[]} by the kinds' numbers */
    this.kindWords = header.kinds.map(toKindWords);
    /** @type {What[]} */
    this.whats = header.whats.map(toWhat);
    /** @type {Request[]} */
    this.requests = makeRequests(header.requests, columns);
    /** Whose the lanes are: `request`, or `task` where there are none, or `job`; then those are what is said of requests. A task has no number. */
    this.noun = String(header.noun);
    /** What stands above the lanes. */
    this.heading = String(header.heading);
    if (this.noun === 'task') for (const each of this.requests) each.number = -1;
    /** @type {Finding[]} */
    this.findings = header.findings;
    /** What the mark of a failed request means. */
    this.failedWords = String(header.failed);
    /** What stands behind the spans, unread: see `details`. */
    this.told = { words: header.told, stream: /** @type {Uint8Array} */ (columns.details), texts: /** @type {Uint8Array} */ (columns.texts) };
    this.rows = makeRows(header.rows, header.offsets, columns);
    this.arrows = new Arrows(columns);
    const loop = this.loop = this.rows.find((row) => row.group === 'loop') ?? null;
    this.blocks = loop === null ? [] : where(loop, (index) => loop.kind[index] === BLOCKED);
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

/** `#25 `, or nothing for a task. @param {Request} request */
export function tagOf({ number }) {
  return number < 0 ? '' : `#${number} `;
}

/** @param {any[]} entry @returns {KindWords} */
function toKindWords([legend, told]) {
  return { legend, told };
}

/** @param {any[]} entry @returns {What} */
export function toWhat([label, file, line, inFunction, text, call]) {
  return { label, file, line, function: inFunction, text, call };
}

/** @param {{ labels: string[], statuses: (number | null)[], failures: [number, string | null, string][] }} told @param {Record<string, any>} columns @returns {Request[]} */
function makeRequests({ labels, statuses, failures }, { paths, request_number, request_label, request_status }) {
  /** @type {string[]} */
  const all = JSON.parse(new TextDecoder().decode(paths) || '[]');
  const requests = all.map((path, i) => (
    { number: (i + request_number[i]) >>> 0, label: labels[request_label[i]], path, status: statuses[request_status[i]], error: /** @type {string | null} */ (null), failure: '' }
  ));
  for (const [index, error, failure] of failures) Object.assign(requests[index], { error, failure });
  return requests;
}

/**
 * Rows of spans; a span begins its gap after the end of the one before it.
 * @param {import('./rows.js').RowMeta[]} metas
 * @param {number[]} offsets
 * @param {Record<string, any>} columns
 */
function makeRows(metas, offsets, columns) {
  const all = { start: columns.gap, duration: columns.duration, kind: columns.kind, what: columns.what, request: widened(columns.request) };
  return metas.map((meta, index) => {
    const [from, to] = [offsets[index], offsets[index + 1]];
    for (let i = from, end = 0; i < to; i++) end = (all.start[i] += end) + all.duration[i];
    const [start, duration, kind, what, request] = [all.start, all.duration, all.kind, all.what, all.request].map((column) => column.subarray(from, to));
    return new Row(meta, { start, duration, kind, what, request });
  });
}

/** A column of requests, in which all ones are none whatever its width, as numbers of one width. @param {Uint8Array | Uint16Array | Uint32Array} column */
function widened(column) {
  if (column.BYTES_PER_ELEMENT === 4) return column;
  const none = 2 ** (8 * column.BYTES_PER_ELEMENT) - 1;
  const wide = Uint32Array.from(column);
  for (let i = 0; i < wide.length; i++) if (wide[i] === none) wide[i] = NO_REQUEST;
  return wide;
}

/**
 * The greatest number of spans alive at one moment; an end counts before a start at the same tick.
 * @param {Row[]} rows
 */
export function overlap(rows) {
  const starts = moments(rows, (row, i) => row.start[i]);
  const ends = moments(rows, (row, i) => row.end(i));
  let most = 0;
  for (let started = 0, ended = 0; started < starts.length; started++) {
    while (ended < ends.length && ends[ended] <= starts[started]) ended++;
    most = Math.max(most, started + 1 - ended);
  }
  return most;
}

/** A moment of each span, sorted. @param {Row[]} rows @param {(row: Row, index: number) => number} of */
function moments(rows, of) {
  const all = new Float64Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) all[at++] = of(row, i);
  return all.sort();
}
