// What runs next? Among whom a reader may choose, and what the recording says of the choice. It shows nothing.
//
// Asked are real candidates: the ready queue, who waits (for a timer, a thread's result, I/O), and whatever else may come.
// They stand in an order that gives nothing away. Who is not among those shown is `NONE`, which is then right.

/** @typedef {import('./play.js').Play} Play */
/** @typedef {import('./play.js').Card} Card */
/** @typedef {{ key: string, words: string, note: string }} Choice */

export const NONE = 'none';
const MOST_READY = 4;
const MOST_WAITING = 4;  // with NONE as many as there are digits

/** @param {Play} play @param {number} place whose next step is asked for @returns {{ choices: Choice[], right: string }} */
export function question(play, place) {
  const { queued_for } = play.columns;
  const next = place + 1;
  const { cards: ready } = play.ready(place, MOST_READY);
  const { cards: waiting } = play.waiting(place, MOST_WAITING, true);
  const isReady = queued_for[next] > 0 && ready[0]?.index === next;
  const wait = isReady ? undefined : waitOver(play, place);
  if (wait !== undefined && !waiting.some(({ index }) => index === wait.index)) waiting.splice(-1, 1, wait);
  /** @type {Map<string, Choice & { order: number }>} by what they are called: two that are told alike are one choice */
  const choices = new Map();
  for (const [where, cards] of /** @type {[string, Card[]][]} */ ([['ready', ready], ['waiting', waiting]])) {
    for (const card of cards) {
      const words = play.called(card.actor);
      const key = `${where} ${words}`;
      if (!choices.has(key)) choices.set(key, { key, words, note: where === 'ready' ? 'in the ready queue' : `waits: ${card.note.split(' · ')[0]}`, order: card.actor });
    }
  }
  const right = isReady ? `ready ${play.called(ready[0].actor)}` : wait !== undefined ? `waiting ${play.called(wait.actor)}` : NONE;
  return { choices: [...[...choices.values()].sort((a, b) => a.order - b.order), { key: NONE, words: 'None of these', note: 'something from outside' }], right };
}

/** Whose wait it was that the next step, or a callback that is the next step, has ended. @param {Play} play @param {number} place @returns {Card | undefined} */
function waitOver(play, place) {
  const { actor, wakes, actor_task } = play.columns;
  let step = place + 1;
  while (actor_task[actor[step]] === 0 && wakes[step] > 0) step += wakes[step];
  const task = actor_task[actor[step]];
  const found = task === 0 ? undefined : play.waits.at(place, 256).find((wait) => actor_task[play.waits.actor[wait] - 1] === task);
  return found === undefined ? undefined : play.waiter(found, place, true);
}

/** Whether a choice was right, and why, from the recording. @param {Play} play @param {number} place @param {string} chosen a choice's key */
export function verdict(play, place, chosen) {
  const { choices, right } = question(play, place);
  const ran = play.called(play.columns.actor[place + 1]);
  const queued = play.ready(place, 0).count;
  const isRight = chosen === right;
  const why = right.startsWith('ready') ? 'it was first in the ready queue.'
    : right === NONE ? 'it came from outside what is shown.'
      : `${queued === 0 ? 'nothing was ready, and ' : ''}the wait of ${right.slice(8)} was the first to be over.`;
  const other = choices.find(({ key }) => key === chosen);
  const instead = other === undefined || chosen === NONE || isRight ? '' : chosen.startsWith('ready') ? ` ${other.words} stands further back in the queue.` : ` ${other.words} still waits.`;
  return { isRight, words: `${isRight ? 'Right' : 'Not so'}: ${isRight ? '' : `${ran} runs next; `}${why}${instead}` };
}
