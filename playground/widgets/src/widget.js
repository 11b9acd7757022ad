// The view in a notebook: anywidget's contract on one side, the timeline on the other.
//
// Each view asks the kernel for the recording and is answered with a binary message of its own: the recording is never part
// of the widget's state, so a saved notebook stays small. Messages: out `{ type: "ready", view }`, in
// `{ type: "recording", view }` with one buffer.

import { make } from './dom.js';
import { openTimeline } from './open.js';
import { throttle } from './throttle.js';

/** @typedef {import('./describe.js').Facts} Facts */
/** @typedef {import('./timeline.js').TimelineView} TimelineView */
/**
 * The part of anywidget's model that is used here.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(content: unknown) => void} send
 * @property {(event: string, listener: (...details: any[]) => void) => void} on
 * @property {(event: string, listener: (...details: any[]) => void) => void} off
 */

const UPDATE_MS = 1000 / 15;  // of `visible` to the kernel

/**
 * Show a model in an element.
 * @param {{ model: Model, el: HTMLElement }} context
 * @returns {() => void} removes the view and everything that it listens to
 */
export function mountWidget({ model, el }) {
  const aborter = new AbortController();
  const id = Math.random().toString(36).slice(2);
  const host = make('div', { class: 'playground-timeline', 'data-testid': 'timeline' });
  host.textContent = 'Waiting for the recording. If the kernel was restarted, run the cell again.';
  el.append(host);
  /** @type {TimelineView | null} */
  let view = null;
  let asked = true;
  const receive = async (/** @type {any} */ content, /** @type {(DataView | ArrayBuffer)[]} */ buffers) => {
    if (!asked || content?.type !== 'recording' || content.view !== id) return;
    asked = false;
    host.textContent = '';
    const opened = await openTimeline(host, toBytes(buffers[0]), optionsFor(model, aborter.signal));
    if (aborter.signal.aborted) opened?.destroy();
    else view = opened;
  };
  const showVisible = () => view !== null && showRange(view, model.get('visible'));
  model.on('msg:custom', receive);
  model.on('change:visible', showVisible);
  model.send({ type: 'ready', view: id });
  return () => {
    aborter.abort();
    model.off('msg:custom', receive);
    model.off('change:visible', showVisible);
    view?.destroy();
    host.remove();
  };
}

/** @param {Model} model @param {AbortSignal} signal @returns {import('./timeline.js').Options} */
function optionsFor(model, signal) {
  const save = (/** @type {string} */ name, /** @type {unknown} */ value) => {
    model.set(name, value);
    model.save_changes();
  };
  const reportVisible = throttle((/** @type {[number, number]} */ range) => save('visible', range), UPDATE_MS, signal);
  return {
    title: model.get('title'),
    height: model.get('height'),
    onSelect: (facts) => save('selection', toSelection(facts)),
    onVisible: (startNs, endNs) => reportVisible([startNs, endNs]),
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
export function toSelection(facts) {
  if (facts === null) return {};
  const { label, kind, start_ns, duration_ns, request, file, line } = facts;
  return { label, kind, start_ns, duration_ns, request: request === null ? null : request.number, file, line };
}

/** @param {DataView | ArrayBuffer} buffer */
function toBytes(buffer) {
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
