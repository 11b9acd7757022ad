// What the tests of the pure parts share: the bundle as it ships, random numbers that repeat, and small recordings.

import * as timeline from '../../playground/widgets/static/views.js';

export { timeline };

const { Recording, Row } = timeline;
export const NONE = 0xffffffff;

/** Numbers from 0 to 1 that depend on the seed alone (a linear congruential generator, constants of Numerical Recipes). */
export function random(seed) {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** A row of `length` spans that do not overlap, some of them touching, some of no length at all. */
export function randomRow(seed, length, kinds = [0, 4, 9], meta = { group: 'loop', lane: 0, name: 'loop' }) {
  const next = random(seed);
  const columns = { start: [], duration: [], kind: [], what: [], request: [] };
  let at = 0;
  for (let i = 0; i < length; i++) {
    at += next() < 0.3 ? 0 : Math.floor(next() * 50);
    const duration = next() < 0.1 ? 0 : Math.floor(next() * 40) + 1;
    columns.start.push(at);
    columns.duration.push(duration);
    columns.kind.push(kinds[Math.floor(next() * kinds.length)]);
    columns.what.push(0);
    columns.request.push(NONE);
    at += duration;
  }
  return makeRow(meta, columns);
}

export function makeRow(meta, { start, duration, kind, what, request }) {
  return new Row(meta, {
    start: Uint32Array.from(start), duration: Uint32Array.from(duration), kind: Uint8Array.from(kind),
    what: Uint16Array.from(what), request: Uint32Array.from(request),
  });
}

/**
 * A recording from rows of [start, duration, kind, what, request] and arrows of [start, end, from, to, request].
 * `whats` are labels, `requests` are labels too.
 */
export function makeRecording({ rows, arrows = [], whats = ['work'], requests = [], ...header }) {
  const offsets = [0];
  const columns = { gap: [], duration: [], kind: [], what: [], request: [] };
  for (const { spans } of rows) {
    let last = 0;
    for (const [start, duration, kind, what = 0, request = NONE] of spans) {
      columns.gap.push(start - last);
      columns.duration.push(duration);
      columns.kind.push(kind);
      columns.what.push(what);
      columns.request.push(request);
      last = start + duration;
    }
    offsets.push(columns.gap.length);
  }
  const column = (index, Type) => Type.from(arrows, (arrow) => arrow[index]);
  return new Recording({
    header: {
      view: 'timeline', title: 'Run', clock: 'real', duration_ns: 1000, tick_ns: 1, dropped: 0, summary: '', findings: [], offsets,
      rows: rows.map(({ group, lane = 0, name = group }) => ({ group, lane, name })),
      kinds: timeline.KINDS.map(({ name }) => [name, name]),
      whats: whats.map((label) => [label, 'cell 1', 1, 'f', '', '']),
      requests: { labels: requests, statuses: [200], failures: [] }, failed: '', noun: 'request', heading: 'Requests', ...header,
    },
    columns: {
      gap: Uint32Array.from(columns.gap), duration: Uint32Array.from(columns.duration), kind: Uint8Array.from(columns.kind),
      what: Uint16Array.from(columns.what), request: Uint32Array.from(columns.request),
      arrow_start: column(0, Uint32Array), arrow_end: column(1, Uint32Array), arrow_from: column(2, Uint16Array),
      arrow_to: column(3, Uint16Array), arrow_request: column(4, Uint32Array), arrow_back: new Uint8Array(arrows.length),
      paths: new TextEncoder().encode(JSON.stringify(requests.map(() => '/'))),
      request_number: new Uint8Array(requests.length), request_label: Uint8Array.from(requests.keys()), request_status: new Uint8Array(requests.length),
    },
  });
}
