// A view in a notebook: anywidget's contract on one side, `openView` on the other.
//
// Each view asks the kernel for the recording and is answered with a binary message of its own: the recording is never part
// of the widget's state, so a saved notebook stays small. Messages: out `{ type: "ready", view }`, repeated until it is
// answered, in `{ type: "recording", view }` with one buffer. Of a run that goes on, `{ type: "more", view, seq }` follows: what is new,
// for the view that asked or for all (`view` is null), numbered. What was shown is answered with `{ type: "got", view, seq }`;
// a view that has missed one says `{ type: "missed", view }` and gets the whole; one that is removed, `{ type: "gone", view }`.

import { make } from './dom.js';
import { openView, tellFailure } from './open.js';
import { unpack } from './wire.js';

const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 60_000;

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

/**
 * Show a model in an element.
 * @param {{ model: Model, el: HTMLElement }} context
 * @returns {() => void} removes the view and everything that it listens to
 */
export function mountWidget({ model, el }) {
  const aborter = new AbortController();
  const id = Math.random().toString(36).slice(2);
  const host = make('div', { class: 'playground-view', 'data-testid': 'view' });
  host.textContent = 'Waiting for the recording. If the kernel was restarted, run the cell again.';
  el.append(host);
  /** @type {import('./open.js').View | null} */
  let view = null;
  let asked = true;
  let last = -1;  // the number of what was shown last
  const open = async (/** @type {Uint8Array} */ bytes) => {
    if (!asked) return;
    asked = false;
    host.textContent = '';
    const opened = await openView(host, bytes, stateOf(model, aborter.signal));
    if (aborter.signal.aborted) opened?.destroy();
    else view = opened;
  };
  const take = async (/** @type {any} */ { type, view: to, seq }, /** @type {Uint8Array} */ bytes) => {
    if (type === 'recording' && to === id && view === null) {
      last = seq ?? last;
      return open(bytes);
    }
    if (view?.update === undefined || seq === undefined || (to ?? id) !== id) return;
    if (type === 'more' && to === null && seq !== last + 1) {
      if (seq > last) model.send({ type: 'missed', view: id });
      return;
    }
    const packet = await unpack(bytes);
    if (aborter.signal.aborted) return;
    view.update(packet);
    if (type !== 'more') return;
    last = seq;
    requestAnimationFrame(() => model.send({ type: 'got', view: id, seq }));  // not before it can be seen
  };
  let turn = Promise.resolve();  // one after the other: unpacking takes its time
  const receive = (/** @type {any} */ content, /** @type {(DataView | ArrayBuffer)[]} */ buffers) => {
    if (buffers?.length !== 1) return;
    turn = turn.then(() => take(content, toBytes(buffers[0]))).catch((error) => tellFailure(host, error));
  };
  listen(model, 'msg:custom', receive, aborter.signal);
  // JupyterLab's first messages may queue behind a cell that runs, where later ones have a way around it
  let [timer, pause] = [0, FIRST_PAUSE_MS];
  const ask = () => {
    if (!asked || aborter.signal.aborted || pause > LAST_PAUSE_MS) return;
    model.send({ type: 'ready', view: id });
    timer = window.setTimeout(ask, pause);
    pause *= 2;
  };
  ask();
  return () => {
    aborter.abort();
    clearTimeout(timer);
    if (last >= 0) model.send({ type: 'gone', view: id });
    view?.destroy();
    host.remove();
  };
}

/** @param {Model} model @param {AbortSignal} signal @returns {import('./state.js').State} the model's traits */
function stateOf(model, signal) {
  return {
    get: (name) => model.get(name),
    set: (name, value) => {
      model.set(name, value);
      model.save_changes();
    },
    follow: (name, listener) => listen(model, `change:${name}`, () => listener(model.get(name)), signal),
  };
}

/** @param {Model} model @param {string} event @param {(...details: any[]) => void} listener @param {AbortSignal} signal */
function listen(model, event, listener, signal) {
  model.on(event, listener);
  signal.addEventListener('abort', () => model.off(event, listener), { once: true });
}

/** @param {DataView | ArrayBuffer} buffer */
function toBytes(buffer) {
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
