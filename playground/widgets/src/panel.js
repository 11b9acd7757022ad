// What is told of the selection below its first line: whose it is, who woke it and when, what it waits for, how it ended,
// what became of a hand-off, which messages its request exchanged. Each sentence comes from the recording; where that
// does not tell, the panel says so. `tell` is pure (spans in, words and spans out), `buildPanel` makes elements of it.

import { momentWords, requestWords } from './describe.js';
import { make, makeRow, makeTable, makeTerms } from './dom.js';
import { formatCount, formatDuration } from './format.js';
import { BLOCKED, READY } from './kinds.js';
import { where } from './rows.js';

/** @typedef {import('./details.js').Details} Details */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {string | { words: string, span: Span }} Part words, or words that lead to a span */
/** @typedef {[term: string, ...parts: Part[]]} Entry */

const [YIELDS, WAITS, THREAD] = [1, 5, 11];  // places in the list of endings; those from WAITS on wait
const NO_LATER = '; no later step of it is recorded';
const MOST_MESSAGES = 12;  // a stream may have thousands
const MOST_CALLS = 6;

/** @param {Details} details @param {Span} span @returns {Entry[]} */
export function tell(details, span) {
  const { row, index } = span;
  if (details.recording.noun === 'job') return [];
  if (details.isEmpty) return [['not told', 'who woke whom, and what was exchanged, is told when the run is over']];
  if (row.group === 'worker') return tellHandoff(details, span);
  if (row.group === 'life') return tellRequest(details, span);
  if (row.group === 'request' && row.kind[index] >= READY && row.kind[index] !== BLOCKED) return tellWait(details, span);
  const at = loopSpan(details.recording, span);
  return at < 0 ? [] : tellStep(details, details.stepOf(at));
}

/**
 * The span of the loop's row that another row shows in its own way; -1 where several of one moment could be meant, as in
 * virtual time, when a step takes none.
 * @param {import('./recording.js').Recording} recording
 * @param {Span} span
 */
function loopSpan({ loop }, { row, index }) {
  if (row === loop || loop === null) return loop === null ? -1 : index;
  const [time, request] = [row.start[index], row.request[index]];
  const at = loop.nearest(time, 0);
  if (at < 0 || loop.end(at) > time) return at >= 0 && loop.request[at] === request ? at : -1;
  const alike = (/** @type {import('./rows.js').Row} */ each, /** @type {(i: number) => boolean} */ fits) =>
    where(each, (i) => each.request[i] === request && fits(i), each.firstFrom(time), each.firstFrom(time + 1));
  const [ours, theirs] = [alike(row, (i) => row.kind[i] < READY), alike(loop, () => true)];
  return ours.length === theirs.length ? theirs[ours.indexOf(index)] ?? -1 : -1;
}

/** @param {Details} details @param {number} step @returns {Entry[]} */
function tellStep(details, step) {
  if (step < 0) return notTold(details);
  const { task, ending, words } = details;
  if (task[step] < 0) return [['woken by', ...wakerOf(details, step)]];
  const [before, after] = [details.neighbour(step, -1), details.neighbour(step, 1)];
  const waits = ending[step] >= WAITS;
  /** @type {Entry[]} */
  const entries = [['task', taskWords(details, task[step])]];
  if (before >= 0 && ending[before] >= WAITS) {
    const waited = words.endings[ending[before]].replace('waits', 'had waited');
    entries.push(['before', `it ${waited} since ${momentOf(details, details.end(before))}; its step before: `, toStep(details, before, '')]);
  }
  entries.push(['woken by', ...wakerOf(details, step)]);
  /** @type {Part[]} */
  const goesOn = after >= 0 ? ['; it goes on ', toStep(details, after, '')] : waits || ending[step] === YIELDS ? [NO_LATER] : [];
  entries.push(['then', `it ${words.endings[ending[step]]}${waits ? `, since ${momentOf(details, details.end(step))}` : ''}`, ...goesOn]);
  return entries;
}

/** A stretch of a request's lane in which its task waited, or was ready. @param {Details} details @param {Span} span @returns {Entry[]} */
function tellWait(details, { row, index }) {
  const task = details.requests[row.request[index]]?.task ?? -1;
  if (task < 0) return notTold(details);
  /** @type {Entry[]} */
  const entries = [['task', taskWords(details, task)]];
  if (row.duration[index] === 0) return entries;  // of several steps at one moment nobody can tell which it lay between
  const next = details.stepFrom(task, row.end(index));
  const before = next < 0 ? details.turns[task].at(-1) ?? -1 : details.neighbour(next, -1);
  if (before >= 0) entries.push(['since', `${momentOf(details, details.end(before))}; its step before: `, toStep(details, before, '')]);
  if (next < 0) return [...entries, ['then', NO_LATER.slice(2)]];
  return [...entries, ['woken by', ...wakerOf(details, next)], ['then', 'it goes on ', toStep(details, next, '')]];
}

/** Who made a step ready. @param {Details} details @param {number} step @returns {Part[]} */
function wakerOf(details, step) {
  const { waker, cause, words, task } = details;
  const [by, back] = [waker[step], handoffBefore(details, step)];
  if (by < 0) return [words.causes[cause[step]] || 'no step of this recording: a timer, I/O, a thread or the outside', ...back];
  if (task[by] >= 0 && task[by] === task[step]) return ['itself, in its step before, ', toStep(details, by, ''), ...back];
  return [toStep(details, by), ...(waker[by] < 0 && cause[by] > 0 ? [`, run by ${words.causes[cause[by]]}`] : []), ...back];
}

/** The hand-off that a step took up again. @param {Details} details @param {number} step @returns {Part[]} */
function handoffBefore(details, step) {
  const { handoffs, recording, task, ending } = details;
  const before = details.neighbour(step, -1);
  if (before < 0 || ending[before] !== THREAD) return [];
  for (const [row, calls] of handoffs) {
    const index = calls.findIndex((call) => call !== null && call.task === task[step] && call.woken_ns !== null && Math.floor(call.woken_ns / recording.tickNs) === details.start(step));
    if (index >= 0) return ['; back from ', handoffPart(recording, { row, index })];
  }
  return [];
}

/** @param {Details} details @param {Span} span @returns {Entry[]} */
function tellHandoff(details, span) {
  const { recording, words } = details;
  const { row, index } = span;
  const call = details.handoffs.get(row)?.[index] ?? null;
  if (call === null) return [['hand-off', 'the recording does not tell which']];
  const [start, end] = [recording.ns(row.start[index]), recording.ns(row.end(index))];
  const pending = words.outcomes[call.outcome] === 'pending';
  /** @type {Entry[]} */
  const entries = call.task === null ? [] : [['task', taskWords(details, call.task)]];
  if (call.queued_ns > 0) entries.push(['queued', `for a free place: ${formatDuration(call.queued_ns)}`]);
  entries.push(['submitted', momentWords(recording, call.submitted_ns)], ['started', `${momentWords(recording, start)}, ${formatDuration(start - call.submitted_ns)} later`]);
  entries.push(['ended', pending ? 'it had not when the recording did' : `${momentWords(recording, end)}: ${words.outcomes[call.outcome]}`]);
  if (call.woken_ns !== null) {
    const step = call.task === null ? -1 : details.stepFrom(call.task, Math.floor(call.woken_ns / recording.tickNs), THREAD);
    entries.push(['woken', step < 0 ? momentWords(recording, call.woken_ns) : toStep(details, step), `, ${formatDuration(call.woken_ns - end)} later`]);
  }
  if (call.woken_ns === null && !pending) entries.push(['woken', 'no step that took it up is recorded']);
  if (call.cpu_ns > 0) entries.push(['cpu time', `${formatDuration(call.cpu_ns)} of ${formatDuration(end - start)}`]);
  return entries;
}

/** @param {Details} details @param {Span} span @returns {Entry[]} */
function tellRequest(details, { row, index }) {
  const its = details.requests[row.request[index]];
  if (its === undefined) return notTold(details);
  /** @type {Entry[]} */
  const entries = its.task === null ? [] : [['task', taskWords(details, its.task)]];
  const step = its.task === null ? -1 : details.stepFrom(its.task, row.start[index]);
  if (step >= 0) entries.push(['first step', toStep(details, step)]);
  const calls = handoffsOf(details, row.request[index]);
  if (calls.length > 0) entries.push(['handed off', ...calls.slice(0, MOST_CALLS).flatMap((call, i) => (i === 0 ? [call] : [', ', call])), calls.length > MOST_CALLS ? ` and ${formatCount(calls.length - MOST_CALLS)} more` : '']);
  return entries;
}

/** The calls that were made in workers for a request. @param {Details} details @param {number} request @returns {Part[]} */
function handoffsOf({ recording }, request) {
  return recording.rows.filter(({ group }) => group === 'worker').flatMap((row) => {
    return where(row, (index) => row.request[index] === request).map((index) => handoffPart(recording, { row, index }));
  });
}

/** @param {import('./recording.js').Recording} recording @param {Span} span @returns {Part} */
function handoffPart(recording, span) {
  return { words: `${recording.whatOf(span).label} in ${span.row.name}`, span };
}

/** @param {Details} details @returns {Entry[]} */
function notTold({ ending }) {
  return [['not told', `who woke whom is known here of the first ${formatCount(ending.length)} steps only`]];
}

/** @param {Details} details @param {number} step @param {string} [words] instead of its name @returns {Part} */
function toStep(details, step, words) {
  const span = details.spanOf(step);
  const { label } = details.recording.whatOf(span);
  return { words: `${words ?? label} at ${momentOf(details, details.start(step))}`.trim(), span };
}

/** @param {Details} details @param {number} time in ticks */
function momentOf({ recording }, time) {
  return momentWords(recording, recording.ns(time));
}

/** @param {Details} details @param {number} task */
function taskWords({ tasks }, task) {
  const { name, coroutine } = tasks[task];
  return name === coroutine ? name : `${name}, ${coroutine}()`;
}

/**
 * The panel's elements; a button with `data-go` leads to the span at that place of `links`.
 * @param {Details} details
 * @param {Span} span
 * @returns {{ nodes: Node[], links: Span[] }}
 */
export function buildPanel(details, span) {
  /** @type {Span[]} */
  const links = [];
  const toNode = (/** @type {Part} */ part) => typeof part === 'string' ? part : make('button', { type: 'button', title: 'Go there', 'data-go': String(links.push(part.span) - 1) }, part.words);
  const facts = tell(details, span);
  const request = span.row.request[span.index];
  const messages = details.requests[request]?.messages ?? [];
  const nodes = [...(facts.length === 0 ? [] : [makeTerms({ class: 'facts' }, facts.map(([term, ...parts]) => [term, ...parts.map(toNode)]))]), ...(messages.length === 0 ? [] : [messageTable(details, request, messages)])];
  return { nodes, links };
}

/** @param {Details} details @param {number} request @param {import('./details.js').Message[]} messages */
function messageTable({ recording }, request, messages) {
  const rows = messages.slice(0, MOST_MESSAGES).map(({ direction, type, detail, at_ns }) => {
    return makeRow('td', [direction === 'send' ? '↑ send' : '↓ receive', type, momentWords(recording, at_ns), detail]);
  });
  const rest = messages.length - rows.length;
  const caption = `ASGI messages of ${requestWords(recording.requests[request])}${rest > 0 ? `: the first ${MOST_MESSAGES}, ${formatCount(rest)} more are in trace.requests` : ''}`;
  return makeTable(caption, [], rows);
}
