// How a reader moves in any view of lanes, by keys and by buttons: through time, and from span to span. It decides how far
// a key goes and that the page hears nothing of it; what else a view's keys do is the view's.

import { makeButton } from './dom.js';
import { actionOf } from './keyboard.js';
import { across, along } from './moves.js';

/** @typedef {import('./keyboard.js').Action} Action */
/** @typedef {import('./recording.js').Span} Span */

const ZOOM = 1.6;  // a key pressed three times shows a fourth
const BUTTON_ZOOM = 2;
const STRIDE = 0.2;  // a pan, of what is shown

/**
 * Call `act` for each key that means something.
 * @param {HTMLElement} element
 * @param {(action: Action) => unknown} act gives `false` if the key means nothing here, and is the page's
 * @param {AbortSignal} signal
 */
export function listenForKeys(element, act, signal) {
  element.addEventListener('keydown', (event) => {
    const action = actionOf(event);
    if (action !== null && act(action) !== false) claim(event);
  }, { signal });
}

/** Nobody else hears of an event. @param {Event} event */
export function claim(event) {
  event.preventDefault();
  event.stopPropagation();
}

/** @param {(action: Action, zoom: number) => unknown} act @param {string} whole what is seen when all is @param {AbortSignal} signal */
export function zoomButtons(act, whole, signal) {
  return [
    makeButton('−', { title: 'Zoom out (-)', label: 'Zoom out' }, () => act('zoomOut', BUTTON_ZOOM), signal),
    makeButton('+', { title: 'Zoom in (+)', label: 'Zoom in' }, () => act('zoomIn', BUTTON_ZOOM), signal),
    makeButton('Fit', { title: `${whole} (0)` }, () => act('fit', BUTTON_ZOOM), signal),
  ];
}

/**
 * What the keys do that move through time or along the lanes.
 * @param {{ navigator: import('./navigator.js').Navigator, layout: Pick<import('./geometry.js').Layout, 'lanes'>, from: Span | null, isSelected: boolean, zoom?: number }} view
 *   `from` is what is selected, or where the first key goes
 * @param {(span: Span) => void} go
 */
export function movesOf({ navigator, layout, from, isSelected, zoom = ZOOM }, go) {
  const to = (/** @type {(from: Span) => Span | null} */ find) => {
    const span = from && find(from);
    if (span !== null) go(span);
  };
  const step = isSelected ? 1 : 0;
  return {
    previous: () => to((span) => along(span, -step)),
    next: () => to((span) => along(span, step)),
    first: () => to((span) => along(span, -Infinity)),
    last: () => to((span) => along(span, Infinity)),
    up: () => to((span) => across(layout, span, -1)),
    down: () => to((span) => across(layout, span, 1)),
    panLeft: () => navigator.panBy(-STRIDE),
    panRight: () => navigator.panBy(STRIDE),
    zoomIn: () => navigator.zoomBy(zoom),
    zoomOut: () => navigator.zoomBy(1 / zoom),
    fit: () => navigator.fit(),
  };
}
