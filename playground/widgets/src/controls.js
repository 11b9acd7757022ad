// Pointer, wheel and keys on the lanes. A plain wheel stays the page's; Ctrl+wheel and drags are the navigator's.

import { perform } from './deeds.js';
import { listenForKeys } from './steering.js';

/** @typedef {import('./timeline.js').TimelineView} TimelineView */

/**
 * Listen until the signal aborts.
 * @param {TimelineView} view
 * @param {AbortSignal} signal
 */
export function listen(view, signal) {
  const { root, canvas, scroller, detail } = view.frame;
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons !== 0) return view.unhover();
    if (view.hover(event.offsetX, event.offsetY) !== null) placeTip(view, event);
  }, { signal });
  canvas.addEventListener('pointerleave', () => view.unhover(), { signal });
  canvas.addEventListener('click', (event) => view.select(view.hover(event.offsetX, event.offsetY)?.span ?? null), { signal });
  canvas.addEventListener('dblclick', (event) => {
    const hit = view.hover(event.offsetX, event.offsetY);
    if (hit !== null) view.fitSpan(hit.span);
  }, { signal });
  scroller.addEventListener('scroll', () => view.unhover(), { signal });
  scroller.addEventListener('wheel', (event) => pan(view, event), { signal, passive: false });
  listenForKeys(scroller, (action) => perform(view, action), signal);
  listenForKeys(root, (action) => action === 'search' && perform(view, action), signal);  // from a button or a table; in the box itself a slash is a letter
  detail.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button === null) return;
    if (button.dataset.go === undefined) return perform(view, 'open');
    view.select(view.links[Number(button.dataset.go)], { reveal: true });
    scroller.focus({ preventScroll: true });  // the button is gone
  }, { signal });
}

/** A wheel that is turned sideways, or with Shift held, moves through time. @param {TimelineView} view @param {WheelEvent} event */
function pan(view, event) {
  if (event.ctrlKey || event.metaKey) return;
  const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
  if (!event.shiftKey && Math.abs(sideways) <= Math.abs(event.deltaY)) return;
  event.preventDefault();
  const { left, right } = view.projection();
  view.navigator.panBy((sideways * (event.deltaMode === 1 ? 16 : 1)) / (right - left));
}

/** Beside the pointer, within the view. @param {TimelineView} view @param {PointerEvent} event */
function placeTip({ frame: { root, tip } }, event) {
  const box = root.getBoundingClientRect();
  const x = Math.max(4, Math.min(event.clientX - box.left + 14, box.width - tip.offsetWidth - 8));
  const below = event.clientY - box.top + 16;
  const y = below + tip.offsetHeight < box.height ? below : Math.max(4, event.clientY - box.top - tip.offsetHeight - 12);
  tip.style.transform = `translate(${x}px, ${y}px)`;
}
