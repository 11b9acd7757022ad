// Finding spans by what a reader types: a path, a request's number or error, the name of a task or of a function that a
// worker ran, a status such as 404 or 5xx. The spans are looked at once, when the query changes; frames ask the marks.

import { make } from './dom.js';
import { formatCount } from './format.js';
import { tagOf } from './recording.js';
import { NO_REQUEST, firstReached, where } from './rows.js';

/** @typedef {import('./details.js').Details} Details */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {import('./rows.js').Row} Row */
/** @typedef {Map<Row, number[]>} Marks the spans found, by row, in order */

const STATUS = /^[1-5](xx|\d\d)$/;
const PAUSE_MS = 120;  // between two letters of somebody who types

/**
 * The spans that fit a query, by row: requests as a whole, the hand-offs' functions, and the steps of tasks that are no
 * request's own.
 * @param {Details} details
 * @param {string} query
 * @returns {Marks}
 */
export function search(details, query) {
  const { recording } = details;
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return new Map();
  const has = (/** @type {string[]} */ ...texts) => texts.some((text) => text.toLowerCase().includes(wanted));
  const status = STATUS.test(wanted) ? wanted.replace('xx', '') : null;
  const whats = recording.whats.map(({ label }) => has(label));
  const tasks = details.tasks.map(({ name, coroutine }) => has(name, coroutine));
  const requests = recording.requests.map((each, index) => has(tagOf(each), each.label, each.path, each.error ?? '')
    || (status !== null && String(each.status).startsWith(status)) || tasks[details.requests[index]?.task ?? -1] === true);
  /** @type {Record<string, (row: Row) => number[]>} */
  const finders = {
    life: (row) => where(row, (index) => requests[row.request[index]]),
    worker: (row) => where(row, (index) => whats[row.what[index]]),
    loop: (row) => stepsOf(details, row, whats, tasks),
  };
  return new Map(recording.rows.flatMap((row) => {
    const found = finders[row.group]?.(row) ?? [];
    return found.length === 0 ? [] : [[row, found]];
  }));
}

/** @param {Details} details @param {Row} row @param {boolean[]} whats @param {boolean[]} tasks */
function stepsOf({ first, task, ending, requests }, row, whats, tasks) {
  const found = [];
  for (let step = 0; step < ending.length; step++) {
    const request = row.request[first[step]];
    const free = request === NO_REQUEST;
    if (free || requests[request]?.task !== task[step]) if (tasks[task[step]] || (free && whats[row.what[first[step]]])) found.push(first[step]);
  }
  return found;
}

/** All that was found, in order of time. @param {Marks} marks @returns {Span[]} */
export function inOrder(marks) {
  return [...marks].flatMap(([row, found]) => found.map((index) => ({ row, index }))).sort((a, b) => a.row.start[a.index] - b.row.start[b.index]);
}

/**
 * Where the marks of a row stand between two moments: at most one in `grain` ticks, found in steps of that.
 * @param {Row} row
 * @param {number[]} found
 * @param {number} from in ticks
 * @param {number} to
 * @param {number} grain
 * @returns {[number, number][]} start and end of each, in ticks
 */
export function marksIn(row, found, from, to, grain) {
  /** @type {[number, number][]} */
  const marks = [];
  for (let at = 0, time = from; ;) {
    at = firstReached(at, found.length, (index) => row.end(found[index]) >= time);
    if (at === found.length || row.start[found[at]] > to) return marks;
    marks.push([row.start[found[at]], row.end(found[at])]);
    time = Math.max(time, row.end(found[at])) + grain;
    at++;
  }
}

export class SearchBox {
  /** @param {{ details: Details, showMarks: (marks: Marks) => void, goTo: (span: Span) => void, leave: () => void, say: (words: string) => void }} view @param {AbortSignal} signal */
  constructor(view, signal) {
    this.view = view;
    /** @type {Span[]} */
    this.found = [];
    this.at = -1;
    this.asked = '';
    this.timer = 0;
    this.input = /** @type {HTMLInputElement} */ (make('input', { type: 'search', placeholder: 'Search  /', title: 'Find a path, a task or a status (/): Enter for the next, Shift+Enter for the one before, Esc to return', 'aria-label': 'Search by path, task or status', spellcheck: 'false' }));
    this.count = make('span', { class: 'muted', 'data-testid': 'timeline-found' });
    this.input.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.ask(), PAUSE_MS);
    }, { signal });
    this.input.addEventListener('keydown', (event) => this.press(event), { signal });
    signal.addEventListener('abort', () => clearTimeout(this.timer), { once: true });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    event.stopPropagation();  // letters typed here are no shortcuts of the page's
    if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    if (event.key === 'Escape') {
      this.input.value = '';
      this.ask();
      this.view.leave();
    } else {
      this.ask();
      this.step(event.shiftKey ? -1 : 1);
    }
  }

  ask() {
    const { input, view } = this;
    clearTimeout(this.timer);
    if (input.value === this.asked) return;
    this.asked = input.value;
    const marks = search(view.details, input.value);
    this.found = inOrder(marks);
    this.at = -1;
    view.showMarks(marks);
    this.count.textContent = input.value.trim() === '' ? '' : this.found.length === 0 ? 'not found' : `${formatCount(this.found.length)} found`;
    view.say(this.count.textContent);
  }

  /** @param {1 | -1} step */
  step(step) {
    const { found } = this;
    if (found.length === 0) return;
    this.at = this.at < 0 && step < 0 ? found.length - 1 : (this.at + step + found.length) % found.length;
    this.count.textContent = `${formatCount(this.at + 1)} of ${formatCount(found.length)}`;
    this.view.goTo(found[this.at]);
  }
}
