// What every view stands in: a shadow root, so that no page's styles reach in and none of ours reach out, a header, and a
// region that speaks. It decides what is the same for all views; what a view shows stands between the two. A view is a group and
// no landmark of the page: a notebook shows many, and several of one name.

import base from './base.css';
import { make } from './dom.js';
import { formatCount } from './format.js';

/** @typedef {Record<string, any>} Told what a header says of a recording: title, clock, summary and dropped are shown */
/** @typedef {ReturnType<typeof buildShell>} Shell */

/** @type {Record<string, string>} */
const CLOCKS = { real: 'real time', virtual: 'virtual time', mixed: 'real and virtual time' };

/**
 * @param {HTMLElement} host
 * @param {Told} told
 * @param {string} css the view's own
 */
export function buildShell(host, { title, clock, summary, dropped }, css) {
  host.setAttribute('data-lm-suppress-shortcuts', 'true');  // JupyterLab: keys typed in here are not its commands
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();  // not a <style> element: a page's security policy may forbid those
  sheet.replaceSync(base + css);
  shadow.adoptedStyleSheets = [sheet];
  const buttons = make('div', { class: 'buttons', role: 'group' });
  const live = make('div', { class: 'live', 'aria-live': 'polite', 'data-testid': `${host.dataset.testid}-live` });
  const header = make('header', { role: 'presentation' }, make('strong', { class: 'title' }, title),
    make('span', { class: 'badge' }, CLOCKS[clock]),
    make('span', { class: 'summary' }, summary), ...droppedNote(dropped), buttons);
  const root = make('section', { class: 'root', role: 'group', 'aria-label': title }, header, live);
  shadow.replaceChildren(root);
  return {
    root, header, buttons, live,
    /** Put a view's elements between the header and the live region. @param {...HTMLElement} parts */
    fill: (...parts) => live.before(...parts),
  };
}

/** A recording admits what it let go. @param {number} dropped */
function droppedNote(dropped) {
  if (dropped === 0) return [];
  return [make('span', { class: 'badge dropped' }, `${formatCount(dropped)} events dropped: the recorder was full`)];
}
