// A play as it comes in a packet of playground/views/theatre.py, and what stands on the stage at each of its places.
//
// Place `k` is the moment at which step `k` ends and still runs; the last place is the recording's end. What is shown there
// follows from the columns and `k` alone, so going back gives what going on gave. Finding it costs O(log n) for each card
// that is shown, and the rest is counted: nobody walks through the steps before it. It knows no elements.

import { formatCount, formatDuration } from './format.js';
import { READY } from './kinds.js';
import { lowTree } from './low-tree.js';

/** @typedef {{ key: string, who: number, label: string, tag: string, note: string, kind: number, code?: string, share?: number }} Card `who` is its actor; `share`: how much of a wait is over, 0 to 1 */
/** @typedef {{ cards: Card[], count: number, more?: number, note?: string }} Group `more`: how many are not shown */
/** @typedef {[style: string, text: string]} Part */
/** @typedef {[file: string, line: number, first: number, lines: Part[][]]} Source the line to light, the number of the first, and their words by style; with no lines, words for the place instead of the file */
/** @typedef {ReturnType<typeof makePlay>} Play */

const OTHER = 2;
const THREAD = 3;
const MOST_CALLS = 64;

/** @param {import('./wire.js').Packet} packet */
// Long, as one closure: each of its small functions reads the packet's columns, and none of them means anything alone.
export function makePlay({ header, columns: packed }) {
  const columns = /** @type {Record<string, Float64Array>} */ (packed);
  const { moment, duration, actor, queued_from, queued_ns, carries, wakes, woken } = columns;
  const { names, words } = header;
  const steps = duration.length;
  const queue = lowTree(queued_from);
  const waits = lowTree(columns.wait_rest);  // how much of the play there is when it is over: less than at a place before
  const calls = lowTree(columns.call_rest);

  /** Words, and how long, if that is any time. @param {string} what @param {number} ns @param {string} [link] */
  const lasting = (what, ns, link = '·') => (ns > 0 ? `${what} ${link} ${formatDuration(ns)}` : what);

  /** @param {string} key @param {number} who @param {string} note @param {number} kind @returns {Card} */
  function card(key, who, note, kind) {
    const [request, task] = [columns.actor_request[who], columns.actor_task[who]];
    return { key: task ? `t${task}` : key, who, label: names[columns.actor_label[who]], tag: request ? `#${request - 1}` : names[columns.actor_tag[who]], note, kind };
  }

  /** What somebody is called in a sentence. @param {number} who */
  function called(who) {
    const { label, tag } = card('', who, '', 0);
    return `${label} ${tag}`.trim();
  }

  /** @param {number} place @returns {Group} */
  function running(place) {
    if (place >= steps) return { cards: [], count: 0 };
    const note = lasting(duration[place] ? formatDuration(duration[place]) : words.instant, queued_ns[place] - 1, words.after);
    return { cards: [card(`s${place}`, actor[place], note, columns.kind[place])], count: 1 };
  }

  /** The queue as it is, the next to run first. @param {number} place @param {number} most @returns {Group} */
  function ready(place, most) {
    const cards = queue(place, place + 1, steps, most).map((step) => {
      const since = queued_ns[step] && moment[place] - moment[step] + duration[step] + queued_ns[step] - 1;
      return card(`s${step}`, actor[step + carries[step]], lasting(carries[step] ? words.proxy : words.queued, since), READY);
    });
    return { cards, count: columns.queue_count[place] };
  }

  /** Who began to wait last stands first. @param {number} place @param {number} most @param {boolean} guessing @param {number} [since] up to which place they began @returns {Group} */
  function waiting(place, most, guessing, since = place) {
    const cards = waits(steps - place, 0, columns.wait_entered[since], most, true).map((wait) => waiter(place, wait, guessing));
    return { cards, count: columns.wait_count[place] };
  }

  /** @param {number} place @param {number} wait @param {boolean} guessing hide how long it will be */
  function waiter(place, wait, guessing) {
    const [passed, whole] = [moment[place] - columns.wait_start[wait], guessing ? 0 : columns.wait_ns[wait] - 1];
    const note = lasting(names[columns.wait_on[wait]], passed);
    return {
      ...card(`w${wait}`, columns.wait_actor[wait], lasting(note, whole, passed > 0 ? words.of : '·'), columns.wait_kind[wait]),
      code: names[columns.wait_text[wait]], share: whole > 0 ? passed / whole : 0,
    };
  }

  /** @param {number} place @param {number} most @returns {Group} busy ones first where not all have room */
  function workers(place, most) {
    const cards = header.threads.map((/** @type {number} */ used, /** @type {number} */ thread) => (
      { key: `worker${thread}`, label: `worker-${thread}`, tag: '', note: used <= place ? words.idle : words.unused, kind: OTHER }));
    for (const call of calls(steps - place, 0, columns.call_entered[place], MOST_CALLS, true)) {
      const worker = cards[columns.call_thread[call]];
      worker.tag = card('', columns.call_actor[call], '', 0).tag;
      worker.note = lasting(names[columns.call_name[call]], moment[place] - columns.call_start[call]);
      worker.kind = THREAD;
    }
    if (cards.length > most) cards.sort((/** @type {Card} */ a, /** @type {Card} */ b) => b.kind - a.kind);
    const asking = columns.asking[place];
    return { cards: cards.slice(0, most), count: columns.call_count[place], more: cards.length - most, ...(asking && { note: `${formatCount(asking)} ${words.asking}` }) };
  }

  /** What ended last stands first. @param {number} place @param {number} most @returns {Group} */
  function done(place, most) {
    const count = columns.ended_count[place];
    const cards = [];
    for (let end = count; end-- > 0 && cards.length < most;) {
      cards.push(card(`d${end}`, columns.ended_actor[end], lasting(names[columns.ended_how[end]], columns.ended_ns[end]), columns.ended_kind[end]));
    }
    return { cards, count };
  }

  return {
    header, columns, steps, called, ready, running, waiting, waiter,
    /** The lines around the place at which a step stopped, or else went on. @param {number} place @returns {Source | undefined} */
    source: (place) => header.sites[columns.site[place] - 1],

    /** What is on the stage. @param {number} place @param {number} most cards in a group @param {boolean} [guessing] hide what comes later */
    state: (place, most, guessing = false) => [ready(place, most), running(place), waiting(place, Math.ceil(0.75 * most), guessing), workers(place, most), done(place, most)],

    /** A step's sentence in parts, as playground/views/stage_words.py puts it. @param {number} place @param {boolean} [guessing] hide what comes later @returns {Part[]} */
    sentence(place, guessing = false) {
      if (place >= steps) return [['text', words.over]];
      /** @type {Record<string, string | number>} a name, or a length of time; nothing, or none, leaves the part out */
      const values = {
        who: called(actor[place]),
        ran: duration[place],
        woke: wakes[place] && `${called(actor[place + wakes[place]])}${woken[place] > 1 ? ` and ${formatCount(woken[place] - 1)} more` : ''} ready`,
        life: columns.life_ns[place],
        queue: formatCount(columns.queue_count[place]),
        wait: guessing ? 0 : columns.waited_ns[place],
        idle: guessing ? 0 : columns.idle_ns[place],
        later: guessing ? 0 : '',
      };
      return header.said[columns.said[place]].flatMap((/** @type {Part} */ [style, text]) => {
        const value = values[style];
        if (value === 0) return [];
        return value === undefined ? [[style, text]] : [[style === 'who' ? 'strong' : 'text', text + (typeof value === 'number' ? formatDuration(value) : value)]];
      });
    },
  };
}
