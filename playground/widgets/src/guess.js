// What runs next? Among whom a reader may choose, and what the recording says of the choice. It shows nothing.
//
// Asked are real candidates: the ready queue, who waits (for a timer, a thread's result, I/O), and whatever else may come.
// They stand in an order that gives nothing away. If who runs is not among those shown, the last choice is right.

/** @typedef {import('./play.js').Play} Play */
/** @typedef {{ words: string, note: string, order: number, queued: boolean, right: boolean }} Choice */

const MOST_OF_EACH = 4;  // two kinds, and the last choice: as many as there are digits

/** The choices for what runs after a place; two that would read alike are one. @param {Play} play @param {number} place @returns {Choice[]} */
export function choicesAt(play, place) {
  const { note_queued, note_none, none } = play.header.words;
  const queue = play.ready(place, MOST_OF_EACH).cards;
  const waiting = play.waiting(place, MOST_OF_EACH, true).cards;
  const isNext = play.isQueued(place + 1);
  const over = isNext ? undefined : play.waitOver(place);
  if (over && !waiting.some(({ index }) => index === over.index)) waiting.splice(-1, 1, over);
  /** @type {Map<string, Choice>} */
  const choices = new Map();
  for (const card of [...queue, ...waiting]) {
    const queued = queue.includes(card);
    const [words, note] = [play.called(card.actor), queued ? note_queued : card.note.split(' · ')[0]];
    const right = queued ? isNext && card === queue[0] : card.index === over?.index;
    const same = choices.get(words + queued);
    if (same) same.right ||= right;
    else choices.set(words + queued, { words, note, order: card.actor, queued, right });
  }
  const ordered = [...choices.values()].sort((a, b) => a.order - b.order);
  return [...ordered, { words: none, note: note_none, order: Infinity, queued: false, right: !ordered.some(({ right }) => right) }];
}

/** What the recording says of a choice, and why. @param {Play} play @param {number} place @param {Choice} chosen */
export function verdict(play, place, chosen) {
  const { right, wrong, why_queued, why_over, why_none, behind, waits } = play.header.words;
  const [truth] = choicesAt(play, place).filter((choice) => choice.right);
  const why = truth.queued ? why_queued : Number.isFinite(truth.order) ? why_over + truth.words : why_none;
  if (chosen.right) return `${right} ${why}.`;
  return `${wrong} ${play.ranBy(place + 1)}: ${why}.${Number.isFinite(chosen.order) ? ` ${chosen.words} ${chosen.queued ? behind : waits}.` : ''}`;
}
