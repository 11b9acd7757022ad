// From the bytes of a packet to a view on the page; what cannot be read is told in words, where the view would stand.

import { showComparison } from './comparison.js';
import { make } from './dom.js';
import { showTheatre } from './theatre.js';
import { showTimeline } from './timeline-state.js';
import { showWaterfall } from './waterfall.js';
import { unpack } from './wire.js';

/** @typedef {import('./wire.js').Packet} Packet */
/** @typedef {import('./state.js').State} State */
/**
 * A view on the page, whatever it shows.
 * @typedef {object} View
 * @property {() => void} destroy lets go of everything outside the view's own elements
 * @property {(height: number) => void} [fill] make the whole view so high, in CSS pixels, if its height can be chosen
 * @property {(packet: Packet) => void} [update] take in what was recorded since, if it can
 */
/** @typedef {(host: HTMLElement, packet: Packet, state: State) => View} Opener */

/** @type {Record<string, Opener>} by the `view` in a packet's header */
const OPENERS = { compare: showComparison, theatre: showTheatre, timeline: showTimeline, waterfall: showWaterfall };

/**
 * @param {HTMLElement} host
 * @param {Uint8Array} bytes
 * @param {State} state
 * @returns {Promise<View | null>} null if the recording could not be read
 */
export async function openView(host, bytes, state) {
  try {
    const packet = await unpack(bytes);
    const name = String(packet.header.view);
    if (!Object.hasOwn(OPENERS, name)) {
      throw new Error(`expected a packet of a view among ${Object.keys(OPENERS).join(', ')}, found ${JSON.stringify(name)}: restart the kernel if playground was updated`);
    }
    host.dataset.testid = name;
    return OPENERS[name](host, packet, state);
  } catch (error) {
    tellFailure(host, error);
    return null;
  }
}

/** Where the view would stand, say why there is none. @param {HTMLElement} host @param {unknown} error */
export function tellFailure(host, error) {
  const words = error instanceof Error ? error.message : String(error);
  (host.shadowRoot ?? host).replaceChildren(make('p', { role: 'alert' }, `The view could not be shown: ${words}`));
}
