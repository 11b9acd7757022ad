// A view in a file of its own, as playground/widgets/page.py writes it: the recording stands in the page as base64.

import { openView } from './open.js';
import { ownState } from './state.js';

const MARGIN = 76;  // the page's own, and room for the line about a selected span

/**
 * Start the page if this is one; anywhere else, do nothing.
 * @param {Document} page
 */
export async function startPage(page) {
  const host = page.getElementById('playground-view');
  const recording = page.getElementById('playground-recording');
  if (host === null || recording === null) return;
  const bytes = Uint8Array.from(atob(recording.textContent ?? ''), (letter) => letter.charCodeAt(0));
  const view = await openView(host, bytes, ownState({ title: host.dataset.title }));
  if (view === null) return;
  const fill = () => view.fill?.(window.innerHeight - MARGIN);
  fill();
  window.addEventListener('resize', fill);  // for as long as the page is there
}
