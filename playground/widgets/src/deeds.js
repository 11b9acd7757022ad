// What each key and button of the timeline does.

import { across, along, firstSpan } from './moves.js';

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
  const go = (/** @type {import('./recording.js').Span | null} */ span) => span !== null && view.goTo(span);
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
    nextBlock: () => view.nextBlock(),
    follow: () => view.follow(from),
    open: () => view.open(),
    search: () => search.input.focus(),
    clear: () => view.select(null),
  };
  deeds[action]();
  if (MOVES_TIME.includes(action)) view.sayRange();
}
