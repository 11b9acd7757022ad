// The timeline's traits: what Python hears of a reader's deeds, and where Python may send the view.

import { Pulse, follow, replace } from './live.js';
import { Recording } from './recording.js';
import { throttle } from './throttle.js';
import { TimelineView } from './timeline.js';

/** @typedef {import('./describe.js').Facts} Facts */

const UPDATE_MS = 1000 / 15;  // of `visible` to the kernel
const LEAST_HEIGHT = 320;

/** @type {import('./open.js').Opener} */
export function showTimeline(host, packet, state) {
  const aborter = new AbortController();
  const reportVisible = throttle((/** @type {[number, number]} */ range) => state.set('visible', range), UPDATE_MS, aborter.signal);
  const open = (/** @type {import('./wire.js').Packet} */ shown) => new TimelineView(host, new Recording(shown), {
    title: state.get('title'),
    height: state.get('height'),
    onSelect: (facts) => state.set('selection', toSelection(facts)),
    onVisible: (startNs, endNs) => reportVisible([startNs, endNs]),
    onOpen: ({ file, line, text }) => {
      const heard = state.get('opened') !== undefined;
      state.set('opened', { file, line, text });
      return heard;
    },
  });
  let view = open(packet);
  const pulse = new Pulse();
  state.follow('visible', (visible) => showRange(view, visible));
  return {
    destroy: () => {
      aborter.abort();
      pulse.stop();
      view.destroy();
    },
    update: (more) => {
      if (more.header.view === 'more') {
        follow(view, more);
        pulse.beat(view, more.header);
      } else {
        pulse.stop();
        view = replace(view, () => open(more));
      }
    },
    fill: (height) => view.setHeight(Math.max(LEAST_HEIGHT, height - (view.frame.root.offsetHeight - view.height))),
  };
}

/**
 * Go where the kernel (or another view of the same widget) says, unless this view is there already.
 * @param {TimelineView} view
 * @param {unknown} visible
 */
function showRange(view, visible) {
  if (!Array.isArray(visible) || visible.length !== 2) return;
  const { tickNs } = view.recording;
  const { start, end } = view.navigator.range();
  const [from, to] = [visible[0] / tickNs, visible[1] / tickNs];
  if (Math.abs(from - start) * tickNs > 1 || Math.abs(to - end) * tickNs > 1) view.navigator.show({ start: from, end: to }, { byHand: false });
}

/** What Python hears of a selection. @param {Facts | null} facts */
function toSelection(facts) {
  if (facts === null) return {};
  const { label, kind, start_ns, duration_ns, request, file, line } = facts;
  return { label, kind, start_ns, duration_ns, request: request === null || request.number < 0 ? null : request.number, file, line };
}
