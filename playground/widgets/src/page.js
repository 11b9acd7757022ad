// The view in a file of its own, as playground/widgets/page.py writes it: the recording stands in the page as base64.

import { openTimeline } from './open.js';

const LEAST_HEIGHT = 320;
const MARGIN = 76;  // the page's own, and room for the line about a selected span

/**
 * Start the page if this is one; anywhere else, do nothing.
 * @param {Document} page
 */
export async function startPage(page) {
  const host = page.getElementById('playground-timeline');
  const recording = page.getElementById('playground-recording');
  if (host === null || recording === null) return;
  const bytes = Uint8Array.from(atob(recording.textContent ?? ''), (letter) => letter.charCodeAt(0));
  const view = await openTimeline(host, bytes, { title: host.dataset.title });
  if (view === null) return;
  const fill = () => {
    const around = view.frame.root.offsetHeight - view.height;
    view.setHeight(Math.max(LEAST_HEIGHT, window.innerHeight - around - MARGIN));
  };
  fill();
  window.addEventListener('resize', fill, { signal: view.aborter.signal });
}
