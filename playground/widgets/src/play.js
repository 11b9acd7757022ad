// A play as it comes in a packet of playground/views/theatre.py, and what stands on the stage at each of its places.
//
// Place `k` is the moment at which step `k` ends and still runs; the last place is the recording's end. What is shown there
// follows from the columns and `k` alone, so going back gives what going on gave. Finding it costs O(log n) for each card
// that is shown, and the rest is counted: nobody walks through the steps before it. It knows no elements.

import { formatCount, formatDuration } from './format.js';
import { BLOCKED, READY } from './kinds.js';
import { countUpTo, lowTree, take } from './low-tree.js';

/** @typedef {{ key: string, actor: number, label: string, tag: string, note: string, kind: number, index: number, code?: string, share?: number }} Card `share`: how much of a wait is over, 0 to 1 */
/** @typedef {{ cards: Card[], count: number, more?: number, note?: string }} Group `more`: how many are not shown */
/** @typedef {[style: string, text: string]} Part */
/** @typedef {{ file: string, lines: [number, string][], lit: number, from: number }} Source line numbers, 0 for none */
/** @typedef {ReturnType<typeof makePlay>} Play */

const OTHER = 2;
const THREAD = 3;
const MOST_CALLS = 64;

/** @param {ArrayLike<number>} differences @returns {Float64Array} */
function summed(differences) {
  let sum = 0;
  return Float64Array.from(differences, (each) => (sum += each));
}

/** @param {import('./wire.js').Packet} packet */
export function makePlay({ header, columns: packed }) {
  const columns = /** @type {Record<string, Float64Array>} */ (packed);
  const { duration, actor, kind, said, site, before, queued_ns, carries, wakes, woken, waited_ns, actor_label, actor_tag, actor_request, actor_task } = columns;
  const { names, words } = header;
  const steps = duration.length;
  const moment = summed(columns.moment);
  const queued = Float64Array.from(columns.queued_for, (places, step) => step - places);
  const queue = lowTree(queued);
  queued.sort();
  const waits = stays('wait');
  const calls = stays('call');
  const [ended, asked, served] = [columns.ended_at, columns.asked, columns.served].map(summed);
  /** @type {number[]} by thread, where it was first used */
  const used = [];
  calls.enters.forEach((enters, call) => (used[columns.call_thread[call]] ??= enters));

  /** Who stood somewhere, from place to place; in order of entering. @param {string} name */
  function stays(name) {
    const enters = summed(columns[`${name}_enters`]);
    const leaves = enters.map((each, i) => each + columns[`${name}_stays`][i]);
    const below = lowTree(leaves.map((each) => -each));
    leaves.sort();
    return {
      enters,
      actor: columns[`${name}_actor`],
      count: (/** @type {number} */ place) => countUpTo(enters, place) - countUpTo(leaves, place),
      /** Those who stand there, the last that came first. @param {number} place */
      at: (place) => below(-place - 1, 0, countUpTo(enters, place), true),
    };
  }

  const startOf = (/** @type {number} */ step) => moment[step] - duration[step];
  const lasted = (/** @type {number} */ place, /** @type {number} */ since) => formatDuration(Math.max(0, moment[place] - since));

  /** What somebody is called in a sentence. @param {number} who */
  function called(who) {
    const { label, tag } = card('', 0, who, '', 0);
    return `${label} ${tag}`.trim();
  }

  /** @param {string} prefix @param {number} index @param {number} who @param {string} note @param {number} kind @returns {Card} */
  function card(prefix, index, who, note, kind) {
    const [request, task] = [actor_request[who], actor_task[who]];
    return { key: task ? `t${task}` : prefix + index, actor: who, label: names[actor_label[who]], tag: request ? `#${request - 1}` : names[actor_tag[who]], note, kind, index };
  }

  // -- what stands where ------------------------------------------------------------------------------------------

  /** @param {number} place @returns {Group} */
  function running(place) {
    if (place >= steps) return { cards: [], count: 0 };
    const ran = duration[place] ? formatDuration(duration[place]) : words.instant;
    const note = queued_ns[place] > 1 ? `${ran}, ${words.after} ${formatDuration(queued_ns[place] - 1)}` : ran;
    return { cards: [card('s', place, actor[place], note, kind[place])], count: 1 };
  }

  /** The queue as it is, the next to run first. @param {number} place @param {number} most @returns {Group} */
  function ready(place, most) {
    const cards = take(queue(place, place + 1, steps), most).map((step) => {
      const since = queued_ns[step] ? `${lasted(place, startOf(step) - queued_ns[step] + 1)} ${words.so_far}` : words.queued;
      return card('s', step, actor[step + carries[step]], carries[step] ? `${words.proxy} · ${since}` : since, READY);
    });
    return { cards, count: countUpTo(queued, place) - Math.min(place + 1, steps) };
  }

  /** Who began to wait last stands first. @param {number} place @param {number} most @param {boolean} guessing @returns {Group} */
  function waiting(place, most, guessing) {
    return { cards: take(waits.at(place), most).map((wait) => waiter(place, wait, guessing)), count: waits.count(place) };
  }

  /** @param {number} place @param {number} wait @param {boolean} guessing hide how long it will be */
  function waiter(place, wait, guessing) {
    const [since, whole] = [columns.wait_start[wait], guessing ? 0 : columns.wait_ns[wait]];
    const long = whole ? `${lasted(place, since)} ${words.of} ${formatDuration(whole - 1)}` : `${lasted(place, since)} ${words.so_far}`;
    return {
      ...card('w', wait, waits.actor[wait], `${names[columns.wait_on[wait]]} · ${long}`, columns.wait_kind[wait]),
      code: names[columns.wait_text[wait]], share: whole > 1 ? Math.min(1, (moment[place] - since) / (whole - 1)) : 0,
    };
  }

  /** @param {number} place @param {number} most @returns {Group} busy ones first where not all have room */
  function workers(place, most) {
    /** @type {Card[]} */
    const cards = Array.from({ length: header.threads }, (_, thread) => ({
      key: `worker${thread}`, actor: -1, label: `worker-${thread}`, tag: '', note: used[thread] <= place ? words.idle : words.unused, kind: OTHER, index: thread,
    }));
    const busy = take(calls.at(place), MOST_CALLS);
    for (const call of busy) {
      const thread = columns.call_thread[call];
      const { tag } = card('', 0, calls.actor[call], '', 0);
      cards[thread] = { ...cards[thread], tag, note: `${names[columns.call_name[call]]} · ${lasted(place, columns.call_start[call])}`, kind: THREAD };
    }
    if (cards.length > most) cards.sort((a, b) => b.kind - a.kind);
    const asking = countUpTo(asked, place) - countUpTo(served, place);
    return { cards: cards.slice(0, most), count: calls.count(place), more: Math.max(0, cards.length - most), note: asking ? `${formatCount(asking)} ${words.asking}` : undefined };
  }

  /** What ended last stands first. @param {number} place @param {number} most @returns {Group} */
  function done(place, most) {
    const count = countUpTo(ended, place);
    const cards = Array.from({ length: Math.min(most, count) }, (_, i) => {
      const index = count - 1 - i;
      return card('d', index, columns.ended_actor[index], `${names[columns.ended_how[index]]} · ${formatDuration(columns.ended_ns[index])}`, columns.ended_failed[index] ? BLOCKED : OTHER);
    });
    return { cards, count };
  }

  // -- words ------------------------------------------------------------------------------------------------------

  /** A step's sentence in parts, as playground/views/stage_words.py puts it. @param {number} place @param {boolean} [guessing] hide what comes later @returns {Part[]} */
  function sentence(place, guessing = false) {
    if (place >= steps) return [['text', words.over]];
    let end = countUpTo(ended, place);  // the first request to end with this step
    while (ended[end] === place + 1 && !columns.ended_request[end]) end++;
    const idle = place + 1 < steps ? startOf(place + 1) - moment[place] : 0;
    /** @type {Record<string, string | false>} false leaves the part out */
    const values = {
      who: called(actor[place]),
      ran: duration[place] > 0 && formatDuration(duration[place]),
      woke: wakes[place] > 0 && `${called(actor[place + wakes[place]])}${woken[place] > 1 ? ` and ${formatCount(woken[place] - 1)} more` : ''} ready`,
      wait: !guessing && formatDuration(waited_ns[place]),
      life: ended[end] === place + 1 && formatDuration(columns.ended_ns[end]),
      queue: `${formatCount(ready(place, 0).count)}.`,
      idle: !guessing && idle >= header.idle_ns && `${formatDuration(idle)}.`,
      later: !guessing && '',
    };
    return header.said[said[place]].flatMap((/** @type {Part} */ [style, text]) => {
      const value = values[style];
      return value === false ? [] : value === undefined ? [[style, text]] : [[style === 'who' ? 'strong' : 'text', text + value]];
    });
  }

  /** The lines around the place at which a step stopped, as far as they are known. @param {number} place @param {number} around @returns {Source | null} */
  function source(place, around) {
    const [own, last] = [site[place], site[place - before[place]] * Number(before[place] > 0)];
    if (!(own || last)) return null;
    const [file, line, , text] = header.sites[(own || last) - 1];
    const [lastFile, lastLine] = header.sites[last - 1] ?? [];
    const chunk = header.sources[file]?.find((/** @type {[number, string[]]} */ [first, lines]) => first <= line && line < first + lines.length);
    const [first, lines] = chunk ?? [line, text ? [text] : []];
    const start = Math.max(first, line - around);
    return {
      file, lit: own ? line : 0, from: lastFile === file ? lastLine : 0,
      lines: lines.slice(start - first, line + around + 1 - first).map((/** @type {string} */ words, /** @type {number} */ i) => [start + i, words]),
    };
  }

  /** Whose wait a step has ended: its own task's, or that of the task for which it is a callback. @param {number} place @returns {Card | undefined} */
  function waitOver(place) {
    let step = place + 1;
    while (!actor_task[actor[step]] && wakes[step]) step += wakes[step];
    const task = actor_task[actor[step]];
    const wait = task ? [...waits.at(place)].find((each) => actor_task[waits.actor[each]] === task) : undefined;
    return wait === undefined ? undefined : waiter(place, wait, true);
  }

  return {
    header, steps, called, ready, waiting, waitOver, sentence, source,
    isQueued: (/** @type {number} */ step) => columns.queued_for[step] > 0,
    ranBy: (/** @type {number} */ step) => called(actor[step]),
    at: (/** @type {number} */ place) => moment[place],
    /** What is on the stage. @param {number} place @param {number} most cards in a group @param {boolean} [guessing] hide what comes later @returns {Group[]} */
    state: (place, most, guessing = false) => [ready(place, most), running(place), waiting(place, Math.ceil(0.75 * most), guessing), workers(place, most), done(place, most)],
  };
}
