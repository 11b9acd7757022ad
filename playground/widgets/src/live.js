// A timeline of a run that goes on: takes in what is new, follows the right edge unless the reader has moved away, and
// says when nothing more is heard. When the run is over the finished recording takes the picture's place: the same view
// that a fresh timeline of it is, at the place where the reader was.

import { make } from './dom.js';
import { legend } from './frame.js';
import { layOut } from './geometry.js';
import { grow } from './grow.js';
import { Painter } from './painter.js';

/** @typedef {import('./timeline.js').TimelineView} TimelineView */
/** @typedef {import('./wire.js').Packet} Packet */

const PATIENCE_MS = 4000;  // beyond what the kernel promised: a busy one is late, and a garbage collection takes a second
const EDGE = 0.002;  // of the visible stretch: two pixels, so that the edge is found again

/** The line under the header that says what is known of the moment. */
export class Pulse {
  constructor() {
    this.line = make('div', { class: 'pulse', 'data-testid': 'timeline-pulse' });
    this.timer = 0;
  }

  /** @param {TimelineView} view @param {Packet['header']} header */
  beat(view, { counters, next_s: nextS }) {
    if (!this.line.isConnected) view.frame.root.firstElementChild?.after(this.line);
    this.line.classList.remove('lost');
    this.line.removeAttribute('role');
    this.line.replaceChildren(make('strong', {}, 'live'), ...counters.map(counter));
    clearTimeout(this.timer);
    const patience = 1000 * nextS + PATIENCE_MS;
    this.timer = window.setTimeout(() => this.lose(patience), patience);
  }

  /** @param {number} patience in milliseconds */
  lose(patience) {
    this.line.classList.add('lost');
    this.line.setAttribute('role', 'alert');
    this.line.replaceChildren(`Nothing was heard from the kernel for ${Math.round(patience / 1000)} s: it has ended, or is too busy to tell. What is shown is what it told until then.`);
  }

  stop() {
    clearTimeout(this.timer);
    this.line.remove();
  }
}

/** @param {[string, string, string]} entry */
function counter([name, value, told]) {
  return make('span', { title: told }, `${name} `, make('b', {}, value));
}

/** How far a range is from the run's start, and from its end. @param {import('./geometry.js').Range} range @param {{ duration: number }} run */
function edges({ start, end }, { duration }) {
  return [start, duration - end].map((distance) => (distance <= (end - start) * EDGE ? 0 : distance));
}

/** Take in what is new. @param {TimelineView} view @param {Packet} packet */
export function follow(view, packet) {
  const { recording, navigator, frame } = view;
  const [start, fromEdge] = edges(navigator.range(), recording);
  const { duration } = recording;
  const before = shapeOf(view);
  grow(recording, packet);
  view.read = null;  // the panel tells of what is there now
  frame.root.classList.remove('nothing');
  navigator.grow(recording);
  if (fromEdge === 0) navigator.show({ start: start === 0 ? 0 : start + recording.duration - duration, end: recording.duration }, { byHand: false });
  const summary = frame.root.querySelector('.summary');
  if (summary !== null) summary.textContent = recording.summary;
  if (frame.tables.hidden) frame.tables.replaceChildren();  // made anew when they are next asked for
  const after = shapeOf(view);
  if (after.legend !== before.legend) frame.root.querySelector('.legend')?.replaceWith(legend(recording));
  if (after.blocks !== before.blocks) view.next?.toggleAttribute('disabled', recording.blocks.length === 0);
  if (after.lanes !== before.lanes) layAnew(view);
  else if (view.theme !== undefined && view.width > 0) view.minimap.resize(view.width, view.ratio, view.theme);
  view.draw();
}

/** What of a picture is made anew when it changes. @param {TimelineView} view */
function shapeOf({ recording }) {
  const { rows, kinds, requests, requestsAtOnce, blocks } = recording;
  const inside = rows.some((row) => row.group === 'inside' && row.length > 0);
  const failed = requests.some(({ failure }) => failure !== '');
  return { lanes: `${rows.length} ${inside} ${requestsAtOnce}`, legend: `${[...kinds].sort()} ${failed}`, blocks: blocks.length > 0 };
}

/** @param {TimelineView} view */
function layAnew(view) {
  view.layout = layOut(view.recording);
  view.painter = new Painter(view.frame.canvas, view.recording, view.layout);
  view.applyTheme();
  view.resize();
}

/**
 * Put another view in the place of one, where that one's reader was.
 * @param {TimelineView} view
 * @param {() => TimelineView} open
 */
export function replace(view, open) {
  const { host, recording, marks, frame } = view;
  const { start, end } = view.navigator.range();
  const whole = edges({ start, end }, recording).every((edge) => edge === 0);
  const [startNs, endNs] = [recording.ns(start), recording.ns(end)];
  const { scrollTop } = frame.scroller;
  const focused = host.shadowRoot?.activeElement === frame.scroller;
  view.destroy();
  const next = open();
  const ticks = next.recording.tickNs;
  if (!whole) next.navigator.show({ start: startNs / ticks, end: endNs / ticks }, { byHand: false });
  next.frame.scroller.scrollTop = scrollTop;
  const { selected } = marks;
  if (selected !== null) {
    const row = next.recording.rows.find(({ group, lane }) => group === selected.row.group && lane === selected.row.lane);
    const index = row?.nearest(recording.ns(selected.row.start[selected.index] + selected.row.duration[selected.index] / 2) / ticks) ?? -1;
    if (row !== undefined && index >= 0) next.select({ row, index });
  }
  if (focused) next.frame.scroller.focus({ preventScroll: true });
  return next;
}
