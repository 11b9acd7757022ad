// A play as it comes in a packet of playground/views/theatre.py, and what stands on the stage at each of its places.
//
// Place `k` is the moment at which step `k` ends and still runs; the last place is the recording's end. What is shown there
// follows from the columns and `k` alone, so going back gives what going on gave. Finding it costs O(log n) for each card
// that is shown, and the rest is counted: nobody walks through the steps before it. It knows no elements.

import { formatDuration } from './format.js';
import { LowTree, countUpTo } from './low-tree.js';

/** @typedef {{ key: string, actor: number, label: string, tag: string, note: string, kind: number, code?: string, share?: number | null, index: number }} Card */
/** @typedef {{ cards: Card[], count: number }} Group */
/** @typedef {[style: string, text: string]} Part */
/** @typedef {{ thread: number, used: boolean, call: Card | null }} Worker */
/** @typedef {{ file: string, lines: [number, string][], lit: number, from: number }} Source */
/** @typedef {ArrayLike<number>} Numbers */

const READY = 4;
const THREAD = 3;
const MOST_WORKERS = 64;

/** @param {Numbers} differences @returns {Float64Array} */
function summed(differences) {
  let sum = 0;
  return Float64Array.from(differences, (each) => (sum += each));
}

/** Who stood somewhere from place `enters` up to, not including, `leaves`; in order of entering. */
class Stays {
  /** @param {Record<string, any>} columns @param {string} name */
  constructor(columns, name) {
    this.enters = summed(columns[`${name}_enters`]);
    this.leaves = this.enters.map((enters, i) => enters + columns[`${name}_stays`][i]);
    this.left = this.leaves.slice().sort();
    this.tree = new LowTree(this.leaves.map((leaves) => -leaves));
    /** @type {Numbers} */
    this.actor = columns[`${name}_actor`];
  }

  /** @param {number} place */
  count(place) {
    return countUpTo(this.enters, place) - countUpTo(this.left, place);
  }

  /** Who stands there, the last that came first. @param {number} place @param {number} most */
  at(place, most) {
    const found = [];
    for (let i = countUpTo(this.enters, place); found.length < most && (i = this.tree.before(i, -place - 1)) >= 0;) found.push(i);
    return found;
  }
}

export class Play {
  /** @param {import('./wire.js').Packet} packet */
  constructor({ header, columns }) {
    this.header = header;
    this.columns = /** @type {Record<string, Numbers>} */ (/** @type {unknown} */ (columns));
    const { duration, queued_for, ended_at, asked, served } = this.columns;
    this.steps = duration.length;
    this.moment = summed(this.columns.moment);
    this.from = Float64Array.from(queued_for, (places, step) => step - places);
    this.queue = new LowTree(this.from);
    this.entered = this.from.slice().sort();
    this.waits = new Stays(columns, 'wait');
    this.calls = new Stays(columns, 'call');
    this.ended = summed(ended_at);
    this.asked = summed(asked);
    this.served = summed(served);
    /** @type {Map<number, number>} by thread, where it was first used */
    this.used = new Map();
    this.calls.enters.forEach((enters, i) => this.used.has(this.columns.call_thread[i]) || this.used.set(this.columns.call_thread[i], enters));
  }

  /** @param {number} pointer @returns {string} */
  name(pointer) {
    return pointer === 0 ? '' : this.header.names[pointer - 1];
  }

  /** @param {number} step */
  start(step) {
    return this.moment[step] - this.columns.duration[step];
  }

  /** @param {number} actor */
  who(actor) {
    const { actor_label, actor_tag, actor_request, actor_task } = this.columns;
    const [request, task] = [actor_request[actor], actor_task[actor]];
    return { label: this.name(actor_label[actor]), tag: request > 0 ? `#${request - 1}` : this.name(actor_tag[actor]), request, task };
  }

  /** In a sentence; as in Python's `name_of`. @param {number} actor */
  called(actor) {
    const { label, tag, request, task } = this.who(actor);
    return request === 0 && task === 0 ? `callback ${label}` : `${label} ${tag}`.trim();
  }

  /** @param {string} place @param {number} index @param {number} actor @param {string} note @param {number} kind @returns {Card} */
  card(place, index, actor, note, kind) {
    const { label, tag, task } = this.who(actor);
    return { key: task > 0 ? `t${task}` : `${place}${index}`, actor, label, tag, note, kind, index };
  }

  // -- what stands where ------------------------------------------------------------------------------------------

  /** What is on the stage. @param {number} place @param {number} most cards in a group @param {boolean} guessing hide what comes later */
  state(place, most, guessing = false) {
    return {
      place, at: this.moment[place] ?? 0, running: this.running(place), ready: this.ready(place, most),
      waiting: this.waiting(place, most, guessing), workers: this.workers(place), asking: countUpTo(this.asked, place) - countUpTo(this.served, place),
      done: this.done(place, most),
    };
  }

  /** @param {number} place @returns {Card | null} */
  running(place) {
    if (place >= this.steps) return null;
    const { duration, queued_ns, actor, kind } = this.columns;
    const queued = queued_ns[place] > 1 ? `, after ${formatDuration(queued_ns[place] - 1)} in the queue` : '';
    return this.card('s', place, actor[place], `${duration[place] > 0 ? formatDuration(duration[place]) : 'takes no time'}${queued}`, kind[place]);
  }

  /** The queue as it is, the next to run first. @param {number} place @param {number} most @returns {Group} */
  ready(place, most) {
    const { actor, carries, queued_ns } = this.columns;
    const cards = [];
    for (let step = place; cards.length < most && (step = this.queue.after(step + 1, place)) >= 0;) {
      const carried = carries[step] > 0;
      const since = queued_ns[step] === 0 ? '' : `${formatDuration(Math.max(0, this.moment[place] - this.start(step) + queued_ns[step] - 1))} so far`;
      const note = [carried ? 'its wake-up call' : '', since || 'queued'].filter(Boolean).join(' · ');
      cards.push(this.card('s', step, actor[carried ? step + carries[step] : step], note, READY));
      cards[cards.length - 1].index = step;
    }
    return { cards, count: countUpTo(this.entered, place) - Math.min(place + 1, this.steps) };
  }

  /** Who began to wait last stands first. @param {number} place @param {number} most @param {boolean} guessing @returns {Group} */
  waiting(place, most, guessing) {
    return { cards: this.waits.at(place, most).map((wait) => this.waiter(wait, place, guessing)), count: this.waits.count(place) };
  }

  /** @param {number} wait @param {number} place @param {boolean} guessing @returns {Card} */
  waiter(wait, place, guessing) {
    const { wait_kind, wait_on, wait_text, wait_start, wait_ns } = this.columns;
    const so_far = Math.max(0, this.moment[place] - wait_start[wait]);
    const whole = guessing ? 0 : wait_ns[wait];
    const long = whole === 0 ? `${formatDuration(so_far)} so far` : `${formatDuration(Math.min(so_far, whole - 1))} of ${formatDuration(whole - 1)}`;
    return {
      ...this.card('w', wait, this.waits.actor[wait] - 1, `${this.name(wait_on[wait])} · ${long}`, wait_kind[wait]),
      code: this.name(wait_text[wait]), share: whole === 0 ? null : Math.min(1, so_far / Math.max(1, whole - 1)),
    };
  }

  /** @param {number} place @returns {Worker[]} */
  workers(place) {
    const { call_thread, call_name, call_start } = this.columns;
    /** @type {Worker[]} */
    const workers = Array.from({ length: this.header.threads }, (_, thread) => ({ thread, used: (this.used.get(thread) ?? Infinity) <= place, call: null }));
    for (const call of this.calls.at(place, MOST_WORKERS)) {
      const so_far = formatDuration(Math.max(0, this.moment[place] - call_start[call]));
      const actor = this.calls.actor[call];
      const { label, tag } = actor === 0 ? { label: 'a call', tag: '' } : this.who(actor - 1);
      workers[call_thread[call]].call = { key: `c${call}`, actor: actor - 1, label: this.name(call_name[call]), tag, note: `for ${label} · ${so_far}`, kind: THREAD, index: call };
    }
    return workers;
  }

  /** What ended last stands first. @param {number} place @param {number} most @returns {Group & { cards: (Card & { failed: boolean })[] }} */
  done(place, most) {
    const { ended_actor, ended_how, ended_failed, ended_ns } = this.columns;
    const count = countUpTo(this.ended, place);
    const cards = Array.from({ length: Math.min(most, count) }, (_, i) => {
      const index = count - 1 - i;
      const card = this.card('d', index, ended_actor[index] - 1, `${this.name(ended_how[index])} · ${formatDuration(ended_ns[index])}`, 0);
      return { ...card, failed: ended_failed[index] > 0 };
    });
    return { cards, count };
  }

  // -- words ------------------------------------------------------------------------------------------------------

  /** A step's sentence in parts, as playground/views/stage_words.py puts it. @param {number} place @param {boolean} guessing @returns {Part[]} */
  sentence(place, guessing = false) {
    if (place >= this.steps) return [['text', this.steps === 0 ? 'No step was recorded.' : 'The recording is over.']];
    const { said, actor, duration, wakes, woken, waited_ns, ended_ns, ended_request } = this.columns;
    let end = countUpTo(this.ended, place);  // the first to end with this step
    while (this.ended[end] === place + 1 && ended_request[end] === 0) end++;
    const idle = place + 1 < this.steps ? this.start(place + 1) - this.moment[place] : 0;
    /** @type {Record<string, string | false>} false leaves the part out */
    const values = {
      who: this.called(actor[place]),
      ran: duration[place] > 0 && formatDuration(duration[place]),
      woke: wakes[place] > 0 && `${this.called(actor[place + wakes[place]])}${woken[place] > 1 ? ` and ${(woken[place] - 1).toLocaleString('en-GB')} more` : ''} ready`,
      wait: !guessing && formatDuration(waited_ns[place]),
      life: this.ended[end] === place + 1 && formatDuration(ended_ns[end]),
      queue: `${this.ready(place, 0).count.toLocaleString('en-GB')}.`,
      idle: !guessing && idle >= this.header.idle_ns && `${formatDuration(idle)}.`,
    };
    return this.header.said[said[place]].flatMap((/** @type {Part} */ [style, text]) => {
      if (style === 'later') return guessing ? [] : [['text', text]];
      if (!(style in values)) return [[style, text]];
      return values[style] === false ? [] : [[style === 'who' ? 'strong' : 'text', text + values[style]]];
    });
  }

  /** The lines around the place at which a step stopped, as far as they are known. @param {number} place @param {number} around @returns {Source | null} */
  source(place, around) {
    const { site, before } = this.columns;
    const [own, last] = [site[place], before[place] > 0 ? site[place - before[place]] : 0];
    if (place >= this.steps || (own || last) === 0) return null;
    const [file, line, , text] = this.header.sites[(own || last) - 1];
    const [lastFile, lastLine] = last > 0 ? this.header.sites[last - 1] : ['', 0];
    const lit = own > 0 ? line : 0;
    const from = lastFile === file && lastLine !== lit ? lastLine : 0;
    const chunk = this.header.sources[file]?.find((/** @type {[number, string[]]} */ [first, lines]) => first <= line && line < first + lines.length);
    if (chunk === undefined) return text === '' ? null : { file, lines: [[line, text]], lit, from };
    const start = Math.max(chunk[0], line - around);
    const lines = chunk[1].slice(start - chunk[0], line + around + 1 - chunk[0]);
    return { file, lines: lines.map((/** @type {string} */ words, /** @type {number} */ i) => [start + i, words]), lit, from };
  }
}
