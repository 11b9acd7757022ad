// A span in words: for the card under the pointer, for the line below the lanes, for the live region, and for Python.

import { make, makeTerms } from './dom.js';
import { formatCount, formatDuration, formatMoment, formatSite } from './format.js';
import { KINDS } from './kinds.js';
import { tagOf } from './recording.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */

/**
 * A span as a front-end and Python speak of it.
 * @typedef {object} Facts
 * @property {string} label
 * @property {string} kind its name: `run`, `thread`, ..., or `request` for a request's whole life
 * @property {string} words
 * @property {number} start_ns
 * @property {number} duration_ns
 * @property {import('./recording.js').Request | null} request
 * @property {string} file empty if it has no source
 * @property {number} line
 * @property {string} text the source line, or nothing
 * @property {string} call what a blocking step was seen in for the longest time, or nothing
 */

/** @param {Recording} recording @param {Span} span @returns {Facts} */
export function factsOf(recording, span) {
  const { row, index } = span;
  const { label, file, line, text, call } = recording.whatOf(span);
  const number = row.kind[index];
  const [kind, words] = row.group === 'life' ? [recording.noun, `${recording.noun}, from start to end`] : [KINDS[number].name, recording.kindWords[number].told];
  return {
    label, kind, words, file, line, text, call, request: recording.requestOf(span),
    start_ns: Math.round(recording.ns(row.start[index])), duration_ns: Math.round(recording.ns(row.duration[index])),
  };
}

/** `#25 GET /export, 200` @param {import('./recording.js').Request} request */
export function requestWords(request) {
  const { label, status, error } = request;
  return `${tagOf(request)}${label}${status === null ? '' : `, ${status}`}${error === null ? '' : `, ${error}`}`;
}

/** A moment in a sentence, to a thousandth of the run. @param {Recording} recording @param {number} ns */
export function momentWords(recording, ns) {
  return formatMoment(ns, 10 ** Math.floor(Math.log10(recording.ns(recording.duration) / 1000)));
}

/** @param {Facts} facts */
function swatch({ kind }) {
  return make('i', { class: 'dot', style: `background: var(--kind-${kind}, var(--faint))` });
}

/**
 * The card under the pointer.
 * @param {Recording} recording
 * @param {Span} span
 * @param {number} sharing how many spans share the pixel
 * @returns {Node[]}
 */
export function card(recording, span, sharing) {
  const facts = factsOf(recording, span);
  /** @type {[string, Node | string][]} */
  const entries = [[facts.words, formatDuration(facts.duration_ns)], ['from', momentWords(recording, facts.start_ns)]];
  if (facts.call !== '') entries.push(['seen in', make('code', {}, facts.call)]);
  if (facts.request !== null) entries.push([recording.noun, requestWords(facts.request)]);
  if (facts.request?.path) entries.push(['path', facts.request.path]);
  if (facts.file !== '') entries.push(['source', make('span', { class: 'source' }, formatSite(facts))]);
  const nodes = [make('strong', {}, swatch(facts), make('span', {}, facts.label)), makeTerms({}, entries)];
  if (facts.text !== '' && facts.text !== facts.call) nodes.push(make('code', {}, facts.text));
  if (sharing > 3) nodes.push(make('p', {}, `${formatCount(sharing)} spans share this pixel: zoom in to part them`));
  return nodes;
}

/** The line below the lanes. @param {Recording} recording @param {Span} span @returns {Node[]} */
export function detail(recording, span) {
  const facts = factsOf(recording, span);
  const nodes = [
    swatch(facts), make('strong', {}, facts.label), make('span', {}, facts.words), ...seenIn(facts),
    make('span', {}, formatDuration(facts.duration_ns)), make('span', { class: 'muted' }, `at ${momentWords(recording, facts.start_ns)}`),
  ];
  if (facts.request !== null) nodes.push(make('span', { class: 'muted' }, `${recording.noun} ${requestWords(facts.request)}`));
  const source = make('span', { class: 'source' });
  if (facts.text !== '' && facts.text !== facts.call) source.append(make('code', {}, facts.text));
  if (facts.file !== '') source.append(make('button', { type: 'button', class: 'place', title: 'Open the source (Enter)' }, formatSite(facts)));
  return source.childNodes.length > 0 ? [...nodes, source] : nodes;
}

/** @param {Facts} facts */
function seenIn({ call }) {
  return call === '' ? [] : [make('span', {}, 'seen in ', make('code', {}, call))];
}

/**
 * What a reader who hears the picture is told at each move.
 * @param {Recording} recording
 * @param {Span} span
 * @param {string} lane
 */
export function sentence(recording, span, lane) {
  const facts = factsOf(recording, span);
  const source = facts.file === '' ? '' : `, ${facts.file} line ${facts.line}`;
  const when = `${formatDuration(facts.duration_ns)}, at ${momentWords(recording, facts.start_ns)}`;
  const seen = facts.call === '' ? '' : `, seen in ${facts.call}`;
  return `${lane}: ${facts.label}, ${facts.words}${seen}, ${when}${source}. Span ${formatCount(span.index + 1)} of ${formatCount(span.row.length)}.`;
}
