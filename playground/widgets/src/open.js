// From the bytes of a packet to a view on the page; what cannot be read is told in words, where the view would stand.

import { make } from './dom.js';
import { Recording } from './recording.js';
import { TimelineView } from './timeline.js';
import { unpack } from './wire.js';

/**
 * @param {HTMLElement} host
 * @param {Uint8Array} bytes
 * @param {import('./timeline.js').Options} options
 * @returns {Promise<TimelineView | null>} null if the recording could not be read
 */
export async function openTimeline(host, bytes, options) {
  try {
    return new TimelineView(host, new Recording(await unpack(bytes)), options);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    (host.shadowRoot ?? host).replaceChildren(make('p', { role: 'alert' }, `The timeline could not be shown: ${words}`));
    return null;
  }
}
