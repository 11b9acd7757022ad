// The picture as tables, for readers who hear it, copy it or count: requests, the longest spans, findings. A table shows
// its first rows in the order that the reader chose, and tells how many it leaves out. What stands in them is the
// recording's; a row's first cell is a button that goes to its place in the picture.

import { factsOf, momentWords } from './describe.js';
import { make, makeTable } from './dom.js';
import { formatCount, formatDuration, formatSite } from './format.js';
import { BLOCKED, FUTURE, READY } from './kinds.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {{ name: string, value: (row: any) => number | string | null, text?: (row: any) => string }} Column without a text, the value is shown */

const MOST_ROWS = 100;
const ABSENT = '–';

/**
 * A table that sorts by the buttons in its head. The first column's cells are buttons that open their row.
 * @template T
 * @param {{ caption: string, columns: Column[], rows: T[], total?: number, open: (row: T) => void }} about `total` if rows are a choice from more
 * @param {AbortSignal} signal
 */
function sortable({ caption, columns, rows, total = rows.length, open }, signal) {
  const table = makeTable(caption + countWords(rows.length, total), columns.map(({ name }) => makePlain(name, `Sort by ${name}`)), []);
  const heads = [...table.querySelectorAll('th')];
  const body = /** @type {HTMLElement} */ (table.lastElementChild);
  let [shown, by, down] = [rows, -1, false];
  const fill = () => {
    shown = by < 0 ? rows : sortRows(rows, columns[by].value, down);
    heads.forEach((head, i) => head.setAttribute('aria-sort', i !== by ? 'none' : down ? 'descending' : 'ascending'));
    body.replaceChildren(...shown.slice(0, MOST_ROWS).map((row) => make('tr', {}, ...columns.map((column, i) => cell(column, row, i)))));
  };
  table.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button === null) return;
    const head = heads.findIndex((each) => each.contains(button));
    if (head < 0) return open(shown[[...body.children].findIndex((row) => row.contains(button))]);
    [by, down] = [head, by === head && !down];
    fill();
  }, { signal });
  fill();
  return table;
}

/** @param {string} words @param {string} title */
function makePlain(words, title) {
  return make('button', { type: 'button', title }, words);
}

/** @param {Column} column @param {unknown} row @param {number} place */
function cell({ value, text }, row, place) {
  const words = text === undefined ? String(value(row) ?? ABSENT) : text(row);
  return place === 0 ? make('th', { scope: 'row' }, makePlain(words, 'Show it in the picture')) : make('td', text === undefined ? { class: 'words' } : {}, words);
}

/** @param {number} count @param {number} total */
function countWords(count, total) {
  if (total > count) return `: ${formatCount(count)} of ${formatCount(total)}`;
  return count > MOST_ROWS ? `: the first ${MOST_ROWS} in this order, ${formatCount(count - MOST_ROWS)} more are not listed` : `: ${formatCount(count)}`;
}

/** By value; what has none comes last, whichever way. @template T @param {T[]} rows @param {(row: T) => number | string | null} value @param {boolean} down */
export function sortRows(rows, value, down) {
  const keyed = rows.map((row) => ({ row, key: value(row) }));
  const order = (/** @type {any} */ a, /** @type {any} */ b) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
  return keyed.sort((a, b) => (a.key === null ? (b.key === null ? 0 : 1) : b.key === null ? -1 : order(a.key, b.key))).map(({ row }) => row);
}

/**
 * The tables of a recording.
 * @param {Recording} recording
 * @param {(span: Span) => void} go
 * @param {(finding: import('./recording.js').Finding) => void} show
 * @param {AbortSignal} signal
 */
export function buildTables(recording, go, show, signal) {
  /** @param {string} name @param {(row: any) => number | null} value @param {(value: number) => string} words @returns {Column} */
  const told = (name, value, words) => ({ name, value, text: (row) => (value(row) === null ? ABSENT : words(/** @type {number} */ (value(row)))) });
  const moment = (/** @type {number} */ ns) => momentWords(recording, ns);
  const times = [told('start', ({ start_ns }) => start_ns, moment), told('duration', ({ duration_ns }) => duration_ns, formatDuration)];
  const shares = ['runs', 'ready', 'waits'].map((name, i) => told(name, ({ shares: its }) => its?.[i] ?? null, (share) => `${Math.round(share * 100)} %`));
  const spans = longest(recording);
  const { noun } = recording;
  const toSpan = (/** @type {{ span: Span }} */ { span }) => go(span);
  /** @type {Parameters<typeof sortable<any>>[0][]} */
  const tables = [
    { caption: 'Models', rows: recording.rows.filter(({ group }) => group === 'heading'), open: (row) => go({ row: recording.rows[recording.rows.indexOf(row) + 1], index: 0 }), columns: [
      { name: 'model', value: ({ name }) => name }, { name: 'what it did', value: ({ note }) => note }] },
    { caption: recording.heading, rows: requestRows(recording), open: toSpan, columns: [
      ...(noun === 'task' ? [] : [told('number', ({ request }) => request.number, (number) => `#${number}`)]), { name: noun === 'task' ? noun : noun === 'job' ? 'model' : 'route', value: ({ request }) => request.label },
      { name: 'status', value: ({ request }) => request.status ?? request.error }, ...times, ...shares] },
    { caption: 'Longest spans of the loop and the workers', ...spans, open: toSpan, columns: [
      { name: 'span', value: ({ label }) => label }, { name: 'state', value: ({ words }) => words }, ...times,
      { name: 'source', value: ({ file, line }) => (file === '' ? null : formatSite({ file, line })) }] },
    { caption: 'Findings', rows: recording.findings, open: show, columns: [
      { name: 'finding', value: ({ rule }) => rule.replaceAll('-', ' ') }, { name: 'what it says', value: ({ parts }) => parts.map((/** @type {string[]} */ part) => part[1]).join('') },
      times[0], told('end', ({ end_ns }) => end_ns, moment)] },
  ];
  return tables.filter(({ rows }) => rows.length > 0).map((about) => sortable(about, signal));
}

/** Each request, with the shares of its time that it ran, was ready and waited. @param {Recording} recording */
export function requestRows(recording) {
  const sums = new Float64Array(recording.requests.length * 3);
  for (const row of recording.rows) {
    if (row.group !== 'request') continue;
    for (let i = 0; i < row.length; i++) sums[row.request[i] * 3 + placeOf(row.kind[i])] += row.duration[i];
  }
  return recording.rows.filter(({ group }) => group === 'life').flatMap((row) => Array.from(row.start, (_, index) => {
    const [at, length] = [row.request[index] * 3, row.duration[index]];
    const told = sums[at] + sums[at + 1] + sums[at + 2] > 0;
    return {
      span: { row, index }, request: recording.requests[row.request[index]], start_ns: recording.ns(row.start[index]), duration_ns: recording.ns(length),
      shares: told ? [0, 1, 2].map((place) => sums[at + place] / length) : null,
    };
  })).sort((a, b) => a.request.number - b.request.number);
}

/** 0 if it runs, 1 if it is ready, 2 if it waits. @param {number} kind */
function placeOf(kind) {
  return kind === READY || kind > FUTURE ? 1 : kind > READY && kind !== BLOCKED ? 2 : 0;
}

/** The longest spans, longest first, and how many there are in all. @param {Recording} recording */
function longest(recording) {
  const rows = recording.rows.filter(({ group }) => group === 'loop' || group === 'worker');
  const lengthOf = (/** @type {Span} */ { row, index }) => row.duration[index];
  /** @type {Span[]} */
  let spans = [];
  let least = -1;
  const trim = () => {
    spans = spans.sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, MOST_ROWS);
    if (spans.length === MOST_ROWS) least = lengthOf(spans[MOST_ROWS - 1]);
  };
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) {
      if (row.duration[index] > least && spans.push({ row, index }) > 2 * MOST_ROWS) trim();
    }
  }
  trim();
  return { rows: spans.map((span) => ({ ...factsOf(recording, span), span })), total: rows.reduce((sum, { length }) => sum + length, 0) };
}
