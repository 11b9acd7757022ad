// What each key and button of the timeline does.

import { factsOf } from './describe.js';
import { make } from './dom.js';
import { across, along, alongArrow, blockAfter, firstSpan } from './moves.js';
import { openSource } from './source.js';
import { buildTables } from './table.js';

/** @typedef {import('./keyboard.js').Action} Action */
/** @typedef {import('./timeline.js').TimelineView} TimelineView */

const ZOOM = 1.6;  // a key pressed three times shows a fourth
const STRIDE = 0.2;  // a pan, of what is shown

/** @type {Action[]} of which the reader who hears the picture is told where they have come */
const MOVES_TIME = ['panLeft', 'panRight', 'zoomIn', 'zoomOut', 'fit', 'fitSpan'];

/** @param {TimelineView} view @param {Action} action @param {number} [zoom] */
export function perform(view, action, zoom = ZOOM) {
  const { navigator, recording, layout, search } = view;
  const { selected } = view.marks;
  const from = selected ?? firstSpan(recording, navigator.range().start);
  if (from === null) return;
  const go = (/** @type {import('./recording.js').Span | null} */ span) => {
    if (span !== null) view.goTo(span);
    return span !== null;
  };
  /** @type {Record<Action, () => unknown>} */
  const deeds = {
    previous: () => go(along(from, selected === null ? 0 : -1)),
    next: () => go(along(from, selected === null ? 0 : 1)),
    up: () => go(across(layout, from, -1)),
    down: () => go(across(layout, from, 1)),
    first: () => go(along(from, -Infinity)),
    last: () => go(along(from, Infinity)),
    panLeft: () => navigator.panBy(-STRIDE),
    panRight: () => navigator.panBy(STRIDE),
    zoomIn: () => navigator.zoomBy(zoom),
    zoomOut: () => navigator.zoomBy(1 / zoom),
    fit: () => navigator.fit(),
    fitSpan: () => selected !== null && view.fitSpan(selected),
    nextBlock: () => nextBlock(view),
    follow: () => go(alongArrow(recording, from)) || view.say('No hand-off leaves this span.'),
    open: () => open(view),
    search: () => search.input.focus(),
    clear: () => view.select(null),
  };
  deeds[action]();
  if (MOVES_TIME.includes(action)) view.sayRange();
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

/** Show or hide the tables; made when they are first asked for. @param {TimelineView} view @param {HTMLElement} button */
export function showTables(view, button) {
  const { recording, frame: { tables }, aborter } = view;
  if (tables.childElementCount === 0) tables.append(...buildTables(recording, (span) => view.goTo(span), (finding) => view.showFinding(finding), aborter.signal));
  tables.hidden = !tables.hidden;
  button.setAttribute('aria-expanded', String(!tables.hidden));
}
