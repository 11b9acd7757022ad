// Runs side by side: their lanes under one zoom, what differs in a sentence, and the requests that differ most.
// It decides which stretch all runs show, at one scale or each fitted to the width, and what is selected; a run paints
// itself, and what differs was counted in Python.

import { followSize } from './canvas.js';
import css from './comparison.css';
import { RunLanes } from './comparison-run.js';
import { pairsTable, runsTable } from './comparison-pairs.js';
import { sentence } from './describe.js';
import { make, makeButton, makeList } from './dom.js';
import { around, hitTest } from './geometry.js';
import { Navigator } from './navigator.js';
import { buildShell } from './shell.js';
import { listenForKeys, movesOf, zoomButtons } from './steering.js';
import { followTheme, setColours } from './theme.js';
import { onceAFrame } from './throttle.js';

/** @typedef {import('./geometry.js').Range} Range */
/** @typedef {import('./recording.js').Span} Span */

/** @type {import('./open.js').Opener} */
export function showComparison(host, packet, state) {
  const view = new ComparisonView(host, packet, state);
  return { destroy: () => view.destroy() };
}

class ComparisonView {
  /** @param {HTMLElement} host @param {import('./wire.js').Packet} packet @param {import('./state.js').State} state */
  constructor(host, { header, columns }, state) {
    this.host = host;
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    this.shell = buildShell(host, { ...header, title: state.get('title') || header.title }, css);
    /** @type {RunLanes[]} */
    this.runs = header.runs.map((/** @type {any} */ run) => new RunLanes(run, columnsOf(columns, run.letter)));
    /** The longest run: at one scale, all are seen whole. */
    this.duration = Math.max(1, ...this.runs.map(({ durationNs }) => durationNs));
    this.fitted = false;
    this.width = 0;
    this.ratio = 0;
    this.draw = onceAFrame(() => this.paint(), signal);
    /** @type {{ run: RunLanes, span: Span } | null} */
    this.selected = null;
    this.lanes = make('div', { class: 'runs' }, ...this.runs.map(({ element }) => element));
    this.scroller = make('div', {
      class: 'scroller', tabindex: '0', role: 'application', 'aria-roledescription': 'comparison', 'aria-label': `Lanes of ${this.runs.map(({ name }) => name).join(', ')}`,
      'aria-description': 'Arrow keys move between spans and lanes, plus and minus zoom, 0 shows the whole run, f fits the span.',
    }, this.lanes);
    this.scroller.style.maxHeight = `${state.get('height') ?? 600}px`;
    this.detail = make('p', { class: 'told', 'aria-hidden': 'true', hidden: '' });
    this.fill(header);
    this.navigator = new Navigator(/** @type {any} */ (this.lanes), { duration: this.duration, tickNs: 1 }, () => this.draw());
    this.addButtons(signal);
    this.listen(signal);
    followTheme(document, (theme) => this.setTheme(theme), signal);
    followSize(this.shell.root, () => this.resize(), signal);
  }

  destroy() {
    this.aborter.abort();
    this.navigator.destroy();
  }

  /** @param {any} header */
  fill({ conclusion, notes, runs, pairs, rest }) {
    const { shell } = this;
    shell.fill(
      make('p', { class: 'conclusion', 'data-testid': 'compare-conclusion' }, conclusion),
      makeList({ class: 'notes', 'aria-label': 'To know' }, notes),
      runsTable(runs), this.scroller, this.detail,
    );
    if (pairs.length > 0) shell.fill(pairsTable(pairs, runs), make('p', { class: 'told' }, rest));
  }

  /** @param {AbortSignal} signal */
  addButtons(signal) {
    const { shell } = this;
    shell.buttons.setAttribute('aria-label', 'Zoom');
    const fit = makeButton('Fit each', { title: 'Fit each run to the width, or all at one scale' }, () => {
      this.fitted = !this.fitted;
      fit.setAttribute('aria-pressed', String(this.fitted));
      shell.live.textContent = this.fitted ? 'Each run fills the width: their axes differ.' : 'All runs have one scale.';
      this.draw();
    }, signal);
    fit.setAttribute('aria-pressed', 'false');
    shell.buttons.append(fit, ...zoomButtons((action, zoom) => this.perform(action, zoom), 'Whole runs', signal));
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const { lanes } = this;
    const isOn = (/** @type {Event} */ { target }) => target instanceof HTMLCanvasElement;
    lanes.addEventListener('pointermove', (event) => this.point(isOn(event) && event.buttons === 0 ? event.offsetX : null), { signal });
    lanes.addEventListener('pointerleave', () => this.point(null), { signal });
    lanes.addEventListener('click', (event) => {
      const run = this.runs.find(({ canvas }) => canvas === event.target);
      if (run !== undefined) this.select(hitTest(run.layout, run.projection(this.rangeOf(run)), event.offsetX, event.offsetY)?.span ?? null);
    }, { signal });
    listenForKeys(this.scroller, (action) => this.perform(action), signal);
  }

  // -- size, theme, frames --------------------------------------------------------------------------------------

  resize() {
    const [width, ratio] = [this.lanes.clientWidth, window.devicePixelRatio || 1];
    if (width === 0 || this.theme === undefined || (width === this.width && ratio === this.ratio)) return;
    [this.width, this.ratio] = [width, ratio];
    for (const run of this.runs) run.resize(width, ratio, this.theme);
    this.navigator.resize(width, this.lanes.clientHeight);
    this.draw();
  }

  /** @param {import('./theme.js').Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    setColours(this.shell.root, theme);
    // with the size known last: a page may be without any while it changes its theme, and nobody tells of it
    if (this.width > 0) for (const run of this.runs) run.resize(this.width, this.ratio, theme);
    this.resize();
    this.draw();
  }

  /** The stretch that a run shows, in its own nanoseconds. @param {RunLanes} run @returns {Range} */
  rangeOf({ durationNs }) {
    const { start, end } = this.navigator.range();
    const factor = this.fitted ? Math.max(1, durationNs) / this.duration : 1;
    return { start: start * factor, end: end * factor };
  }

  /** What `draw` asks for. */
  paint() {
    if (this.width === 0) return;
    for (const run of this.runs) run.paint(this.rangeOf(run));
    const { start, end } = this.navigator.range();
    Object.assign(this.host.dataset, { visibleStartNs: Math.round(start), visibleEndNs: Math.round(end), painted: 'true' });
  }

  // -- what is pointed at and selected --------------------------------------------------------------------------

  /** The moment under the pointer is marked in every run. @param {number | null} x */
  point(x) {
    for (const { marks } of this.runs) marks.pointerX = x;
    this.draw();
  }

  /** @param {Span | null} span */
  select(span) {
    const run = span === null ? null : this.runs.find(({ recording }) => recording.rows.includes(span.row)) ?? null;
    for (const each of this.runs) each.marks.selected = each === run ? span : null;
    this.selected = run === null || span === null ? null : { run, span };
    const words = run === null || span === null ? 'Nothing is selected.' : sentence(run.recording, span, `${run.name}, ${span.row.name}`);
    this.shell.live.textContent = this.detail.textContent = words;
    this.detail.hidden = this.selected === null;
    if (run !== null && span !== null) this.reveal(run, span);
    this.draw();
  }

  /** A span's extent on the axis that all runs share. @param {RunLanes} run @param {Span} span @returns {[number, number]} */
  extent({ recording, durationNs }, { row, index }) {
    const factor = this.fitted ? this.duration / Math.max(1, durationNs) : 1;
    return [recording.ns(row.start[index]) * factor, recording.ns(row.end(index)) * factor];
  }

  /** @param {RunLanes} run @param {Span} span */
  reveal(run, span) {
    const { start, end } = this.navigator.range();
    const [from, to] = this.extent(run, span);
    if (to < start || from > end) this.navigator.show({ start: (from + to - end + start) / 2, end: (from + to + end - start) / 2 }, { glide: true });
    run.element.scrollIntoView({ block: 'nearest' });
  }

  /** @param {import('./keyboard.js').Action} action @param {number} [zoom] */
  perform(action, zoom) {
    const { navigator, selected } = this;
    const lanes = this.runs.flatMap(({ layout }) => layout.lanes);
    const first = lanes.find(({ row }) => row !== null)?.row;
    const from = selected?.span ?? (first ? { row: first, index: 0 } : null);
    /** @type {Partial<Record<import('./keyboard.js').Action, () => void>>} */
    const deeds = {
      ...movesOf({ navigator, layout: { lanes }, from, isSelected: selected !== null, zoom }, (span) => this.select(span)),
      fitSpan: () => selected && navigator.show(around(...this.extent(selected.run, selected.span), 0.6), { glide: true }),
      clear: () => this.select(null),
    };
    deeds[action]?.();
  }
}

/** The columns of one run, under the names of a timeline's. @param {Record<string, any>} columns @param {string} letter */
function columnsOf(columns, letter) {
  const its = Object.entries(columns).filter(([name]) => name.startsWith(`${letter}.`));
  return Object.fromEntries(its.map(([name, column]) => [name.slice(letter.length + 1), column]));
}
