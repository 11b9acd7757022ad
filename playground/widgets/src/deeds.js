// What each key and button of the timeline does.

import { factsOf } from './describe.js';
import { make } from './dom.js';
import { alongArrow, blockAfter, firstSpan } from './moves.js';
import { openSource } from './source.js';
import { movesOf } from './steering.js';

/** @typedef {import('./keyboard.js').Action} Action */
/** @typedef {import('./timeline.js').TimelineView} TimelineView */

/** @type {Action[]} of which the reader who hears the picture is told where they have come */
const MOVES_TIME = ['panLeft', 'panRight', 'zoomIn', 'zoomOut', 'fit', 'fitSpan'];

/** @param {TimelineView} view @param {Action} action @param {number} [zoom] */
export function perform(view, action, zoom) {
  const { navigator, recording, layout, search } = view;
  const { selected } = view.marks;
  const from = selected ?? firstSpan(recording, navigator.range().start);
  if (from === null) return;
  /** @type {Record<Action, () => unknown>} */
  const deeds = {
    ...movesOf({ navigator, layout, from, isSelected: selected !== null, zoom }, (span) => view.goTo(span)),
    fitSpan: () => selected !== null && view.fitSpan(selected),
    nextBlock: () => nextBlock(view),
    follow: () => follow(view, from),
    open: () => open(view),
    search: () => search.input.focus(),
    clear: () => view.select(null),
  };
  deeds[action]();
  if (MOVES_TIME.includes(action)) view.sayRange();
}

/** @param {TimelineView} view @param {import('./recording.js').Span} from */
function follow(view, from) {
  const span = alongArrow(view.recording, from);
  if (span === null) view.say('No hand-off leaves this span.');
  else view.goTo(span);
}

/** @param {TimelineView} view */
function nextBlock(view) {
  const { selected } = view.marks;
  const block = blockAfter(view.recording, selected === null ? -1 : selected.row.start[selected.index]);
  if (block === null) return view.say('No step blocked the loop.');
  view.select(block);
  view.fitSpan(block);
}

/** Open the source of the selection, and tell what came of it. @param {TimelineView} view */
function open(view) {
  const { marks: { selected }, recording, host, frame: { detail } } = view;
  if (selected === null) return view.say('Nothing is selected.');
  const facts = factsOf(recording, selected);
  const words = facts.file === '' ? 'No place in the source is known of this span.' : openSource(host, facts, view.onOpen(facts));
  detail.querySelector('.outcome')?.remove();
  detail.firstElementChild?.after(make('p', { class: 'outcome' }, words));
  view.say(words);
}
