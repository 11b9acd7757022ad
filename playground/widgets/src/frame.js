// The timeline's elements and their order, between the header and the live region of the shell.

import { make } from './dom.js';
import { KINDS, LEGEND_ORDER } from './kinds.js';
import { buildShell } from './shell.js';
import css from './timeline.css';

/** @typedef {ReturnType<typeof buildFrame>} Frame */

/**
 * @param {HTMLElement} host
 * @param {import('./recording.js').Recording} recording
 * @param {string} title
 */
export function buildFrame(host, recording, title) {
  const { clock, summary, dropped } = recording;
  const { root, buttons, live, fill } = buildShell(host, { title, clock, summary, dropped }, css);
  buttons.setAttribute('aria-label', 'Zoom');
  root.classList.toggle('nothing', recording.nothing);
  root.classList.add(recording.noun);
  const findings = make('ul', { class: 'findings', 'aria-label': 'Findings' });
  const minimap = /** @type {HTMLCanvasElement} */ (make('canvas', { class: 'minimap', 'aria-hidden': 'true', 'data-testid': 'timeline-minimap' }));
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', { class: 'lanes', 'aria-hidden': 'true', 'data-testid': 'timeline-canvas' }));
  const spacer = make('div', { 'aria-hidden': 'true' });
  const scroller = make('div', {
    class: 'scroller', tabindex: '0', role: 'application', 'aria-roledescription': 'timeline', 'aria-label': `${title}, ${recording.summary}`,
    'aria-description': 'Arrow keys move between spans and lanes, plus and minus zoom, 0 shows the whole run, f fits the span, b goes to the next block of the loop, a follows a hand-off, Enter opens the source, a slash searches, Escape lets go.',
  }, canvas, spacer);
  const tip = make('div', { class: 'tip', role: 'tooltip', 'data-testid': 'timeline-tip', hidden: '' });
  const detail = make('div', { class: 'detail', 'data-testid': 'timeline-detail', hidden: '' });
  const tables = make('div', { class: 'tables', 'data-testid': 'timeline-tables', hidden: '' });
  fill(findings, make('div', { class: 'overview' }, minimap), scroller, tip, detail, legend(recording), tables);
  return { root, buttons, findings, minimap, canvas, spacer, scroller, tip, detail, tables, live };
}

/** The kinds that occur, shape and word. @param {import('./recording.js').Recording} recording */
export function legend({ kinds, kindWords, requests, failedWords }) {
  const entries = LEGEND_ORDER.filter((kind) => kinds.has(kind)).map((kind) => {
    const { name, shape } = KINDS[kind];
    return make('li', {}, make('i', { class: `swatch ${shape} ${name}`, style: `--c: var(--kind-${name})` }), kindWords[kind].legend);
  });
  if (requests.some(({ failure }) => failure !== '')) entries.push(make('li', {}, make('i', { class: 'cross' }, '×'), failedWords));
  return make('ul', { class: 'legend', 'aria-label': 'Legend' }, ...entries);
}
