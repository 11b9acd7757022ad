// The view's elements and their order, in a shadow root so that no page's styles reach in and none of ours reach out.

import { make } from './dom.js';
import { formatCount } from './format.js';
import { KINDS, LEGEND_ORDER } from './kinds.js';
import css from './timeline.css';

/** @typedef {ReturnType<typeof buildFrame>} Frame */

/**
 * @param {HTMLElement} host
 * @param {import('./recording.js').Recording} recording
 * @param {string} title
 */
export function buildFrame(host, recording, title) {
  host.setAttribute('data-lm-suppress-shortcuts', 'true');  // JupyterLab: keys typed in here are not its commands
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();  // not a <style> element: a page's security policy may forbid those
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const clock = recording.clock === 'virtual' ? 'virtual time' : 'real time';
  const buttons = make('div', { class: 'buttons', role: 'group', 'aria-label': 'Zoom' });
  const findings = make('ul', { class: 'findings', 'aria-label': 'Findings' });
  const minimap = /** @type {HTMLCanvasElement} */ (make('canvas', { class: 'minimap', 'aria-hidden': 'true', 'data-testid': 'timeline-minimap' }));
  const canvas = /** @type {HTMLCanvasElement} */ (make('canvas', { class: 'lanes', 'aria-hidden': 'true', 'data-testid': 'timeline-canvas' }));
  const spacer = make('div', { 'aria-hidden': 'true' });
  const scroller = make('div', {
    class: 'scroller', tabindex: '0', role: 'application', 'aria-roledescription': 'timeline', 'aria-label': `${title}, ${recording.summary}`,
    'aria-description': 'Arrow keys move between spans and lanes, plus and minus zoom, 0 shows the whole run, f fits the span, b goes to the next block of the loop, a follows a hand-off.',
  }, canvas, spacer);
  const tip = make('div', { class: 'tip', role: 'tooltip', 'data-testid': 'timeline-tip', hidden: '' });
  const detail = make('footer', { class: 'detail', 'data-testid': 'timeline-detail', hidden: '' });
  const live = make('div', { class: 'live', 'aria-live': 'polite', 'data-testid': 'timeline-live' });
  const header = make('header', {}, make('strong', { class: 'title' }, title), make('span', { class: 'badge' }, clock),
    make('span', { class: 'summary' }, recording.summary), ...droppedNote(recording.dropped), buttons);
  const root = make('section', { class: 'root', 'aria-label': title }, header, findings, make('div', { class: 'overview' }, minimap), scroller, tip, detail, legend(recording), live);
  shadow.replaceChildren(root);
  return { root, buttons, findings, minimap, canvas, spacer, scroller, tip, detail, live };
}

/** A recording admits what it let go. @param {number} dropped */
function droppedNote(dropped) {
  if (dropped === 0) return [];
  return [make('span', { class: 'badge dropped' }, `${formatCount(dropped)} events dropped: the recorder was full`)];
}

/** The kinds that occur, shape and word. @param {import('./recording.js').Recording} recording */
function legend({ kinds, kindWords, requests, failedWords }) {
  const entries = LEGEND_ORDER.filter((kind) => kinds.has(kind)).map((kind) => {
    const { name, shape } = KINDS[kind];
    return make('li', {}, make('i', { class: `swatch ${shape} ${name}`, style: `--c: var(--kind-${name})` }), kindWords[kind].legend);
  });
  if (requests.some(({ failure }) => failure !== '')) entries.push(make('li', {}, make('i', { class: 'cross' }, '×'), failedWords));
  return make('ul', { class: 'legend', 'aria-label': 'Legend' }, ...entries);
}
