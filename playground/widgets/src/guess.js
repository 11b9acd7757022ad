// What runs next? Among whom a reader may choose, and what the recording says of the choice. It shows nothing.
//
// Asked are real candidates: the ready queue, who waits (for a timer, a thread's result, I/O), and whatever else may come.
// They stand in an order that gives nothing away. If who runs is not among those shown, the last choice is right.

/** @typedef {import('./play.js').Play} Play */
/** @typedef {'queued' | 'waiting' | 'none'} Where */
/** @typedef {{ words: string, note: string, where: Where, right: boolean }} Choice */

const MOST_READY = 3;  // with who lets others run, and the last choice: as many as there are digits
const MOST_WAITING = 4;

/** The choices for what runs after a place; two that would read alike are one. @param {Play} play @param {number} place @returns {Choice[]} */
export function choicesAt({ header: { words }, columns: { queued_from, over, yields, actor, actor_task }, ready, running, waiting, waiter, called }, place) {
  /** @type {Record<string, Choice>} */
  const choices = {};
  const add = (/** @type {Where} */ where, /** @type {import('./play.js').Card} */ { who, note }, /** @type {boolean} */ right) => {
    const choice = (choices[where + called(who)] ??= { words: called(who), note: words.notes[where] ?? note.split(' ·')[0], where, right });
    choice.right ||= right;
  };
  const next = place + 1;
  const queued = queued_from[next] < next;
  const ended = !queued && over[next] ? waiter(place, over[next] - 1, true) : undefined;
  const waiters = waiting(place, MOST_WAITING, true, next).cards;  // who runs may wait as his step ends
  if (ended && !waiters.some(({ key }) => key === ended.key)) waiters[MOST_WAITING - 1] = ended;
  ready(place, MOST_READY).cards.forEach((card, i) => add('queued', card, i === 0 && queued));
  if (yields[place]) add('queued', running(place).cards[0], actor_task[actor[next]] === actor_task[actor[place]]);
  waiters.forEach((card) => add('waiting', card, card.key === ended?.key));
  const list = Object.values(choices).sort((a, b) => (a.words < b.words ? -1 : 1));
  return [...list, { words: words.none, note: words.notes.none, where: 'none', right: !list.some(({ right }) => right) }];
}

/** What the recording says of a choice, and why. @param {Play} play @param {number} place @param {Choice} chosen */
export function verdict(play, place, chosen) {
  const { words } = play.header;
  const why = words.why[choicesAt(play, place).find(({ right }) => right)?.where ?? 'none'];
  if (chosen.right) return `${words.right} ${why}`;
  return `${words.wrong} ${play.called(play.columns.actor[place + 1])}: ${why}${chosen.where === 'none' ? '' : ` ${chosen.words} ${words.why_not[chosen.where]}`}`;
}
