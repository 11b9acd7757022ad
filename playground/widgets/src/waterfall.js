// One request: what came in, the layers one within the other, calls in threads, what went out; and where its time went.
// Tens of elements, so that all text can be selected. Python has laid it out and found the words; here it is placed, and
// gone through with the arrow keys.

import css from './waterfall.css';
import { make, makeList, makeOpener, makeRow, makeTable, makeTerms } from './dom.js';
import { part } from './findings.js';
import { formatMoment } from './format.js';
import { timeTicks } from './geometry.js';
import { KINDS } from './kinds.js';
import { buildShell } from './shell.js';
import { listenForKeys } from './steering.js';
import { followTheme, setColours } from './theme.js';

/** @typedef {[number, number, number, string, string[]]} Bar from when to when, its look, its words, the messages that share it */
/** @typedef {[string, string, string, number, number, number, string, Bar[]]} Lane group, name, kind, depth, from when to when, aside, bars */

const TOLD = 6;  // shares that are told beside the strip; the table has all
const TICKS = 5;  // as many as have room at 520 pixels

/** @type {import('./open.js').Opener} */
export function showWaterfall(host, { header }, state) {
  const aborter = new AbortController();
  const { signal } = aborter;
  const shell = buildShell(host, { ...header, title: state.get('title') || header.title }, css);
  if (header.failure !== '') shell.header.children[0].after(make('span', { class: 'cross' }, `× ${header.failure}`));
  const lanes = lanesOf(header, state.get('height') ?? 640);
  const detail = make('div', { class: 'detail', 'aria-hidden': 'true' }, 'Click a bar or a message, or use the arrow keys, to read what it is.');
  const sheets = make('div', { class: 'sheets', 'data-testid': 'waterfall-tables', hidden: '' }, ...header.sheets.map(sheetOf));
  shell.buttons.append(makeOpener('Show as table', { title: 'Show the same as tables' }, sheets, signal));
  shell.fill(
    make('p', { class: 'told', 'data-testid': 'waterfall-sentence' }, ...header.sentence.map(part)),
    stripOf(header), sharesOf(header), scopeOf(header.scope), lanes, detail, legendOf(header),
    makeList({ class: 'notes', 'aria-label': 'To know' }, header.notes), sheets,
  );
  walk(lanes, header.lanes, (words, lines) => {
    shell.live.textContent = `${words} ${lines.join('; ')}`;
    detail.replaceChildren(words, makeList({}, lines));
  }, signal);
  followTheme(document, (theme) => setColours(shell.root, theme), signal);
  host.dataset.painted = 'true';
  return { destroy: () => aborter.abort() };
}

/**
 * Where a stretch of time lies across a lane, as a style: within it, however late it is, and in a request of no length too.
 * @param {number} from @param {number} until @param {number} whole
 */
export function placed(from, until, whole) {
  const share = (/** @type {number} */ ns) => `${(100 * ns) / Math.max(1, whole)}%`;
  return `left: min(${share(from)}, 100% - 2px); width: ${share(until - from)}`;
}

/** @param {Record<string, any>} header @param {number} look @param {string} [style] @returns {HTMLElement} */
function barOf({ looks }, look, style = '') {
  if (look >= looks.length) return make('i', { class: 'bar mark', style });
  const [, colour, shape] = looks[look];
  return make('i', { class: `bar ${shape}`, style: `${style}; --c: var(--kind-${KINDS[colour].name})` });
}

/** @param {Record<string, any>} header @param {number} height */
function lanesOf(header, height) {
  const { duration_ns: whole, lanes } = header;
  const { ticks, step } = timeTicks(0, Math.max(1, whole), TICKS);
  const axis = ticks.map((ns) => make('i', { class: ns > 0.85 * whole ? 'late' : '', style: placed(ns, ns, whole) }, formatMoment(ns, step, whole)));
  const list = make('div', {
    class: 'lanes', tabindex: '0', role: 'application', 'aria-roledescription': 'waterfall', 'aria-label': `Lanes of ${header.title}`,
    'aria-description': 'Up and down move between lanes, left and right between what lies in one, Home and End to its first and last.',
    style: `max-height: ${height}px`,
  }, make('div', { class: 'lane axis' }, make('span'), make('div', { class: 'time' }, ...axis)));
  for (const [group, name, kind, depth, from, until, aside, bars] of /** @type {Lane[]} */ (lanes)) {
    const life = group === 'request' || group === 'layer' ? [make('i', { class: 'life', style: placed(from, until, whole) })] : [];
    list.append(make('div', { class: `lane ${group}` },
      make('div', { class: 'who', style: `--depth: ${depth}` }, make('span', { title: `${name} ${kind}` }, name), make('span', {}, aside)),
      make('div', { class: 'time' }, ...life, ...bars.map(([start, end, look]) => barOf(header, look, placed(start, end, whole))))));
  }
  return list;
}

/** Arrow keys and clicks. @param {HTMLElement} list @param {Lane[]} lanes @param {(words: string, lines: string[]) => void} tell @param {AbortSignal} signal */
function walk(list, lanes, tell, signal) {
  const elements = [...list.children].slice(1);
  let [lane, bar] = [-1, -1];
  const go = (/** @type {number} */ toLane, /** @type {number} */ toBar) => {
    list.querySelectorAll('.on').forEach((element) => element.classList.remove('on'));
    lane = Math.max(0, Math.min(lanes.length - 1, toLane));
    const [, name, kind, , , , aside, bars] = lanes[lane];
    bar = Math.max(-1, Math.min(bars.length - 1, toBar));
    elements[lane].classList.add('on');
    elements[lane].scrollIntoView({ block: 'nearest' });
    if (bar < 0) return tell(`${name}${kind === '' ? '' : `, ${kind}`}: ${aside}, ${bars.length} inside. Lane ${lane + 1} of ${lanes.length}.`, []);
    elements[lane].querySelectorAll('.bar')[bar].classList.add('on');
    tell(`${name}: ${bars[bar][3]}. ${bar + 1} of ${bars.length}.`, bars[bar][4]);
  };
  /** @type {Partial<Record<import('./keyboard.js').Action, () => void>>} */
  const moves = {
    up: () => go(lane - 1, -1), down: () => go(lane + 1, -1), previous: () => go(lane, Math.max(0, bar - 1)), next: () => go(lane, bar + 1),
    first: () => go(lane, 0), last: () => go(lane, Infinity),
  };
  listenForKeys(list, (action) => moves[action] !== undefined && moves[action](), signal);
  list.addEventListener('click', ({ target }) => {
    const at = elements.findIndex((element) => element.contains(/** @type {Node} */ (target)));
    if (at >= 0) go(at, [...elements[at].querySelectorAll('.bar')].indexOf(/** @type {Element} */ (target)));
  }, { signal });
}

/** @param {Record<string, any>} header */
function stripOf(header) {
  const bars = header.shares.map((/** @type {any[]} */ [look, , , , ns]) => barOf(header, look, `width: ${(100 * ns) / header.duration_ns}%`));
  return make('div', { class: 'strip', 'aria-hidden': 'true' }, ...bars);
}

/** @param {Record<string, any>} header */
function sharesOf(header) {
  const items = header.shares.slice(0, TOLD).map((/** @type {any[]} */ [look, words, length, percent]) =>
    make('li', {}, barOf(header, look), make('span', {}, `${length}, ${percent}: `, ...words.map(part))));
  return make('ul', { class: 'legend shares', 'aria-label': 'Where the time went' }, ...items);
}

/** @param {[string, string][]} scope */
function scopeOf(scope) {
  return make('details', { class: 'scope' }, make('summary', {}, 'What was asked'), makeTerms({}, scope));
}

/** @param {Record<string, any>} header */
function legendOf(header) {
  const used = [...new Set(header.lanes.flatMap((/** @type {Lane} */ lane) => lane[7].map((bar) => bar[2])))].sort((a, b) => a - b);
  return make('ul', { class: 'legend', 'aria-label': 'Legend' },
    ...used.map((look) => make('li', {}, barOf(header, look), header.looks[look]?.[0] ?? 'a message or more')));
}

/** @param {[string, string[], string[][]]} sheet */
function sheetOf([caption, head, rows]) {
  return makeTable(caption, head, rows.map((row) => makeRow('td', row)));
}
