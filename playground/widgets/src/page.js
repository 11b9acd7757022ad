// Views in a file of their own, as playground/widgets/page.py writes it: each packet stands in the page as base64.
// It decides which view is shown. A tab's view is made when it is first shown; of the packets of one tab, a reader picks.

import { make } from './dom.js';
import { openView } from './open.js';
import { ownState } from './state.js';

const MARGIN = 76;  // the page's own, and room for the line about a selected span

/** @typedef {{ tab: HTMLElement, panel: HTMLElement, open: () => void, fill: () => void }} Tab */

/**
 * Start the page if this is one; anywhere else, do nothing.
 * @param {Document} page
 */
export function startPage(page) {
  const host = page.getElementById('playground-view');
  if (host === null) return;
  /** @type {Map<string, HTMLElement[]>} */
  const sheets = new Map();
  for (const sheet of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll('script[data-tab]'))) {
    const name = sheet.dataset.tab ?? '';
    sheets.set(name, [...(sheets.get(name) ?? []), sheet]);
  }
  const tabs = [...sheets].map(([name, its], i) => makeTab(name, its, i === 0 ? host.dataset.title : undefined));
  if (tabs.length > 1) host.append(make('div', { role: 'tablist', 'aria-label': 'Views' }, ...tabs.map(({ tab }) => tab)));
  host.append(...tabs.map(({ panel }) => panel));
  const show = (/** @type {Tab} */ shown) => {
    for (const each of tabs) {
      each.panel.hidden = each !== shown;
      each.tab.setAttribute('aria-selected', String(each === shown));
      each.tab.tabIndex = each === shown ? 0 : -1;
    }
    shown.open();
  };
  tabs.forEach((tab, i) => {
    tab.tab.addEventListener('click', () => show(tab));
    tab.tab.addEventListener('keydown', ({ key }) => {
      /** @type {Record<string, number>} */
      const goals = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: -1 };
      const goal = key in goals ? tabs.at(goals[key] % tabs.length) : undefined;
      if (goal === undefined) return;
      show(goal);
      goal.tab.focus();
    });
  });
  if (tabs.length > 0) show(tabs[0]);
  window.addEventListener('resize', () => tabs.forEach((tab) => tab.fill()));  // for as long as the page is there
}

/** @param {string} name @param {HTMLElement[]} sheets @param {string} [title] @returns {Tab} */
function makeTab(name, sheets, title) {
  const id = `tab-${name}`;
  const tab = make('button', { type: 'button', role: 'tab', id, 'aria-controls': `${id}-panel` }, name);
  const panel = make('div', { role: 'tabpanel', id: `${id}-panel`, 'aria-labelledby': id });
  /** @type {import('./open.js').View | null} */
  let view = null;
  let turn = 0;
  const fill = () => view?.fill?.(window.innerHeight - panel.getBoundingClientRect().top - window.scrollY - MARGIN + 16);
  const show = async (/** @type {HTMLElement} */ sheet) => {
    const mine = ++turn;
    view?.destroy();
    view = null;
    const place = make('div', {});
    panel.lastElementChild?.replaceWith(place);
    const bytes = Uint8Array.from(atob(sheet.textContent ?? ''), (letter) => letter.charCodeAt(0));
    if (bytes.length === 0) return;
    const opened = await openView(place, bytes, ownState({ title }));
    if (mine !== turn) return opened?.destroy();  // the reader has gone on
    view = opened;
    fill();
  };
  const open = () => {
    if (turn > 0) return;
    panel.append(...picker(sheets, show), make('div', {}));
    show(sheets[0]);
  };
  return { tab, panel, fill, open };
}

/** What stands above a tab's view: which of its packets is shown, and what is said of them. @param {HTMLElement[]} sheets @param {(sheet: HTMLElement) => void} show */
function picker(sheets, show) {
  const note = sheets[0].dataset.note ?? '';
  if (sheets.length < 2 && note === '') return [];
  const select = /** @type {HTMLSelectElement} */ (make('select', { id: 'pick' }, ...sheets.map(({ dataset }) => make('option', {}, dataset.name ?? ''))));
  select.addEventListener('change', () => show(sheets[select.selectedIndex]));
  return [make('div', { class: 'pick' }, ...(sheets.length < 2 ? [] : [make('label', { for: 'pick' }, 'Request'), select]), note)];
}
