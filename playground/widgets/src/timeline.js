// The timeline: joins a recording, a stretch of time and a selection to one picture, and keeps them in step.
// What it decides is state (what is shown, selected, hovered); painting, gestures, words and arithmetic are its parts'.

import { followSize, resizeCanvas } from './canvas.js';
import { listen } from './controls.js';
import { perform } from './deeds.js';
import { card, detail, factsOf, momentWords, sentence } from './describe.js';
import { Details } from './details.js';
import { make, makeButton, makeOpener } from './dom.js';
import { fillFindings } from './findings.js';
import { buildFrame } from './frame.js';
import { AXIS_HEIGHT, around, hitTest, isPinned, layOut, project } from './geometry.js';
import { Minimap } from './minimap.js';
import { Navigator } from './navigator.js';
import { Painter } from './painter.js';
import { buildPanel } from './panel.js';
import { SearchBox, inOrder } from './search.js';
import { zoomButtons } from './steering.js';
import { buildTables } from './table.js';
import { followTheme, setColours } from './theme.js';
import { onceAFrame } from './throttle.js';

/** @typedef {import('./geometry.js').Range} Range */
/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */
/**
 * @typedef {object} Options
 * @property {string} [title] instead of the recording's
 * @property {number} [height] of the lanes at most, in CSS pixels
 * @property {(facts: import('./describe.js').Facts | null) => void} [onSelect]
 * @property {(startNs: number, endNs: number) => void} [onVisible] when the reader, not the program, moved
 * @property {(facts: import('./describe.js').Facts) => boolean} [onOpen] when the reader opens a place in the source; whether anybody hears
 */

const RESTED_MS = 300;  // after the last zoom or pan, glide included
const AIR = 0.6;  // of a stretch's length, on each side of it, when it is shown

export class TimelineView {
  /** @param {HTMLElement} host @param {Recording} recording @param {Options} [options] */
  constructor(host, recording, { title, height = 460, onSelect = () => {}, onVisible = () => {}, onOpen = () => false } = {}) {
    this.host = host;
    this.recording = recording;
    this.onSelect = onSelect;
    this.onVisible = onVisible;
    this.onOpen = onOpen;
    this.maxHeight = height;
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    this.frame = buildFrame(host, recording, title || recording.title);
    this.layout = layOut(recording);
    this.painter = new Painter(this.frame.canvas, recording, this.layout);
    /** @type {import('./painter.js').Marks} */
    this.marks = { selected: null, hovered: null, pointerX: null, found: new Map() };
    /** @type {Span[]} where the panel's buttons lead */
    this.links = [];
    this.speaking = 0;
    /** @type {Details | null} */
    this.read = null;
    this.width = 0;
    this.height = 0;
    this.ratio = 0;
    this.draw = onceAFrame(() => this.paint(), signal);
    this.navigator = new Navigator(this.frame.canvas, recording, (range, byHand) => this.moved(range, byHand));
    this.minimap = new Minimap(this.frame.minimap, recording, this.navigator, signal);
    this.search = new SearchBox(this, signal);
    this.addButtons(signal);
    fillFindings(this.frame.findings, recording.findings, (finding) => this.showFinding(finding), signal);
    followTheme(document, (theme) => this.setTheme(theme), signal);
    listen(this, signal);
    followSize(this.frame.root, () => this.resize(), signal);
  }

  /** Let go of everything outside the view's own elements. */
  destroy() {
    this.aborter.abort();
    this.navigator.destroy();
    clearTimeout(this.speaking);
  }

  /** What stands behind the spans; read when somebody first asks. */
  get details() {
    return (this.read ??= new Details(this.recording, this.recording.told));
  }

  /** @param {AbortSignal} signal */
  addButtons(signal) {
    const next = this.next = makeButton('Next block', { title: 'Next blocked moment (b)' }, () => perform(this, 'nextBlock'), signal);
    if (this.recording.blocks.length === 0) next.setAttribute('disabled', '');
    const zooms = zoomButtons((action, zoom) => perform(this, action, zoom), 'Whole run', signal);
    const table = makeOpener('Table', { title: 'Show as table', label: 'Show as table' }, this.frame.tables, signal, () => this.fillTables());
    this.frame.buttons.append(this.search.count, this.search.input, ...zooms, next, table);
  }

  /** The tables are made when they are first asked for. */
  fillTables() {
    const { recording, frame: { tables }, aborter } = this;
    if (tables.childElementCount === 0) tables.append(...buildTables(recording, (span) => this.goTo(span), (finding) => this.showFinding(finding), aborter.signal));
  }

  // -- size, theme, frames --------------------------------------------------------------------------------------

  /** @param {number} height of the lanes at most, in CSS pixels */
  setHeight(height) {
    this.maxHeight = height;
    this.resize();
  }

  resize() {
    const { scroller, spacer, canvas } = this.frame;
    const whole = AXIS_HEIGHT + this.layout.height;
    const height = Math.min(this.maxHeight, whole);
    scroller.style.height = `${height}px`;
    spacer.style.height = `${whole - height}px`;
    const ratio = window.devicePixelRatio || 1;
    const width = scroller.clientWidth;
    if (width === 0 || (width === this.width && height === this.height && ratio === this.ratio)) return;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    resizeCanvas(canvas, width, height, ratio);
    this.applyTheme();
    if (this.marks.selected !== null) this.scrollTo(this.marks.selected.row);
    this.navigator.resize(width, height);
    this.draw();
  }

  /** @param {import('./theme.js').Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    setColours(this.frame.root, theme);
    this.applyTheme();
    this.draw();
  }

  applyTheme() {
    if (this.theme === undefined || this.width === 0) return;
    this.painter.setTheme(this.theme, this.ratio);
    this.minimap.resize(this.width, this.ratio, this.theme);
  }

  /** The frame of the next repaint. */
  projection() {
    return project({ width: this.width, height: this.height, scroll: this.frame.scroller.scrollTop }, this.navigator.range());
  }

  /** What `draw` asks for. */
  paint() {
    if (this.width === 0) return;
    const range = this.navigator.range();
    this.painter.paint(this.projection(), this.marks);
    this.minimap.paint(range);
    const [visibleStartNs, visibleEndNs] = [range.start, range.end].map((time) => Math.round(this.recording.ns(time)));
    Object.assign(this.host.dataset, { visibleStartNs, visibleEndNs, painted: 'true' });
  }

  /** @param {Range} range @param {boolean} byHand */
  moved({ start, end }, byHand) {
    this.draw();
    if (byHand) this.onVisible(Math.round(this.recording.ns(start)), Math.round(this.recording.ns(end)));
  }

  // -- what is hovered and selected -----------------------------------------------------------------------------

  /** @param {number} x on the canvas @param {number} y */
  hover(x, y) {
    const hit = hitTest(this.layout, this.projection(), x, y);
    this.marks.hovered = hit?.span ?? null;
    this.marks.pointerX = x;
    const { tip } = this.frame;
    tip.hidden = hit === null;
    if (hit !== null) {
      tip.replaceChildren(...card(this.recording, hit.span, hit.sharing));
      this.host.dataset.hover = this.recording.whatOf(hit.span).label;
    } else {
      delete this.host.dataset.hover;
    }
    this.draw();
    return hit;
  }

  unhover() {
    this.marks.hovered = this.marks.pointerX = null;
    this.frame.tip.hidden = true;
    delete this.host.dataset.hover;
    this.draw();
  }

  /** @param {Span | null} span @param {{ reveal?: boolean }} [how] bring it into view */
  select(span, { reveal = false } = {}) {
    this.marks.selected = span;
    this.frame.detail.hidden = span === null;
    if (span === null) {
      delete this.host.dataset.selected;
      this.say('Nothing is selected.');
      this.onSelect(null);
    } else {
      const facts = factsOf(this.recording, span);
      this.host.dataset.selected = facts.label;
      const { nodes, links } = buildPanel(this.details, span);
      this.links = links;
      this.frame.detail.replaceChildren(make('div', { class: 'head' }, ...detail(this.recording, span)), make('div', { class: 'behind' }, ...nodes));
      this.say(sentence(this.recording, span, this.laneName(span)));
      if (reveal) this.reveal(span);
      this.onSelect(facts);
    }
    this.draw();
  }

  /** @param {Span} span */
  laneName(span) {
    const lane = this.painter.lanes.get(span.row);
    const request = this.recording.requestOf(span);
    if (this.recording.noun === 'job') return `${span.row.note}, ${span.row.name}`;
    if (lane === undefined || lane.group === 'request') return `Lane ${span.row.lane + 1}${request === null || request.number < 0 ? '' : `, request #${request.number}`}`;
    return lane.group === 'inside' ? 'Inside the steps' : lane.name;
  }

  /** @param {Span} span */
  reveal({ row, index }) {
    const { start, end } = this.navigator.range();
    if (row.end(index) < start || row.start[index] > end) {
      const middle = row.start[index] + row.duration[index] / 2;
      this.navigator.show({ start: middle - (end - start) / 2, end: middle + (end - start) / 2 }, { glide: true });
    }
    this.scrollTo(row);
  }

  /** Bring a row's lane into view. @param {import('./rows.js').Row} row */
  scrollTo(row) {
    const lane = this.painter.lanes.get(row);
    const { scroller } = this.frame;
    if (lane === undefined || isPinned(lane)) return;
    const room = this.height - AXIS_HEIGHT;
    const above = lane.top - this.layout.pinnedHeight - 10;
    const below = lane.top + lane.height + 10 - room;
    scroller.scrollTop = Math.max(below, Math.min(above, scroller.scrollTop));
  }

  /** @param {Span} span */
  fitSpan({ row, index }) {
    this.navigator.show(around(row.start[index], row.end(index), AIR), { glide: true });
  }

  /** @param {import('./recording.js').Finding} finding */
  showFinding({ start_ns, end_ns, row = -1 }) {
    const [start, end] = [start_ns / this.recording.tickNs, end_ns / this.recording.tickNs];
    this.navigator.show(around(start, end, AIR), { glide: true });
    this.scrollTo(this.recording.rows[row]);
    const { loop } = this.recording;
    const index = loop === null ? -1 : loop.nearest((start + end) / 2, 0);
    if (loop !== null && index >= 0) this.select({ row: loop, index });
  }

  /** @param {Span} span */
  goTo(span) {
    this.select(span, { reveal: true });
  }

  // -- searching and speaking -----------------------------------------------------------------------------------

  /** @param {import('./search.js').Marks} found */
  showMarks(found) {
    this.marks.found = found;
    this.minimap.mark(inOrder(found));
    this.draw();
  }

  /** From the search box back to the lanes. */
  leave() {
    this.frame.scroller.focus({ preventScroll: true });
  }

  /** @param {string} words for those who hear the picture */
  say(words) {
    clearTimeout(this.speaking);
    this.frame.live.textContent = words;
  }

  /** Tell which time is shown, once the view has come to rest. */
  sayRange() {
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      const [start, end] = Object.values(this.navigator.range()).map((time) => momentWords(this.recording, this.recording.ns(time)));
      this.say(`Shown: ${start} to ${end}.`);
    }, RESTED_MS);
  }
}
