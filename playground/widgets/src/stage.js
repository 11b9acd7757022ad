// The stage's elements: what `Play.state` says, as columns of cards, and the source beside what runs. All of it is made anew
// for each place, so that the same place always looks the same; a card that stands elsewhere than before glides there.

import { make } from './dom.js';
import { formatCount } from './format.js';
import { KINDS } from './kinds.js';
import { textOn } from './theme.js';

/** @typedef {import('./play.js').Card} Card */
/** @typedef {import('./play.js').Play} Play */
/** @typedef {import('./play.js').Source} Source */
/** @typedef {ReturnType<Play['state']>} State */

const GLIDE_MS = 320;
const MOST_WORKERS = 8;
const WORDS = /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(#.*)|(@[\w.]+|\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False)\b)/g;

/**
 * @param {HTMLElement} stage
 * @param {State} state
 * @param {Source | null} source
 * @param {import('./theme.js').Theme} theme
 */
export function setStage(stage, { running, ready, waiting, workers, asking, done }, source, theme) {
  stage.replaceChildren(
    column('ready', 'Ready queue', ready.count, 'next in line runs next', ready.cards.map((card) => chip(card, make('i', { class: 'swatch half' }))), ready.count - ready.cards.length),
    column('running', 'Running now', running === null ? 0 : 1, 'one at a time', [running === null ? make('p', { class: 'none' }, 'nothing') : lead(running, theme), ...listing(source)], 0),
    column('waiting', 'Waiting', waiting.count, 'the loop does nothing for these', waiting.cards.map((card) => chip(card, ring(card))), waiting.count - waiting.cards.length),
    column('workers', 'Worker threads', workers.filter(({ call }) => call !== null).length, asking > 0 ? `${formatCount(asking)} queued for a thread` : 'run beside the loop', ...threads(workers)),
    column('done', 'Done', done.count, 'the last to end first', done.cards.map(ended), done.count - done.cards.length),
  );
}

/** @param {string} name @param {string} title @param {number} count @param {string} note @param {HTMLElement[]} items @param {number} more */
function column(name, title, count, note, items, more) {
  const list = name === 'running' ? items : items.length === 0 ? [make('p', { class: 'none' }, 'empty')] : [make('ul', {}, ...items.map((item) => make('li', {}, item)))];
  return make('section', { class: name, 'aria-label': title }, make('h3', {}, title, make('b', {}, formatCount(count))), make('p', { class: 'note' }, note), ...list,
    ...(more > 0 ? [make('p', { class: 'note' }, `and ${formatCount(more)} more`)] : []));
}

/** @param {Card} card @param {string} kind of box @param {...(Node | string)} parts */
function box(card, kind, ...parts) {
  return make('div', { class: `card ${kind}`, 'data-key': card.key, style: `--c: var(--kind-${KINDS[card.kind].name})` }, ...parts);
}

/** @param {Card} card @param {HTMLElement} mark */
function chip(card, mark) {
  return box(card, 'chip', mark, make('span', { class: 'words' }, named(card), make('small', {}, card.note), ...(card.code ? [make('code', {}, card.code)] : [])));
}

/** @param {Card} card */
function named({ label, tag }) {
  return make('strong', {}, make('span', {}, label), make('em', {}, tag));
}

/** How much of a wait is over; an empty ring where that is not known. @param {Card} card */
function ring({ share }) {
  return make('i', { class: 'ring', style: `--share: ${Math.round((share ?? 0) * 360)}deg` });
}

/** @param {Card} card @param {import('./theme.js').Theme} theme */
function lead(card, theme) {
  const element = box(card, `lead ${KINDS[card.kind].name}`, named(card), make('small', {}, card.note));
  element.style.color = textOn(theme.kinds[card.kind]);
  return element;
}

/** @param {Card & { failed: boolean }} card */
function ended(card) {
  return box(card, `ended${card.failed ? ' failed' : ''}`, named(card), make('small', {}, `${card.failed ? '× ' : ''}${card.note}`));
}

/** Busy ones stand before idle ones where not all have room. @param {State['workers']} workers @returns {[HTMLElement[], number]} */
function threads(workers) {
  const shown = workers.length <= MOST_WORKERS ? workers : [...workers].sort((a, b) => Number(a.call === null) - Number(b.call === null) || a.thread - b.thread).slice(0, MOST_WORKERS);
  const items = shown.map(({ thread, used, call }) => make('div', { class: 'worker' }, make('small', {}, `worker-${thread}`),
    call === null ? make('span', { class: 'none' }, used ? 'idle' : 'not used yet') : chip(call, make('i', { class: 'swatch' }))));
  return [items, workers.length - shown.length];
}

/** @param {Source | null} source @returns {HTMLElement[]} */
function listing(source) {
  if (source === null) return [make('p', { class: 'none' }, 'Its source was not to be had.')];
  const { file, lines, lit, from } = source;
  return [make('div', { class: 'source' }, make('small', {}, file), make('ol', {}, ...lines.map(([number, text]) => line(number, text, number === lit ? 'lit' : number === from ? 'from' : '')))),];
}

/** @param {number} number @param {string} text @param {string} how */
function line(number, text, how) {
  const words = { lit: 'stops here', from: 'went on from here' }[how];
  return make('li', { class: how, ...(words === undefined ? {} : { title: words }) }, make('b', {}, String(number)), make('code', {}, ...painted(text)));
}

/** Python's words in their colours, as text. @param {string} text */
function painted(text) {
  const parts = [];
  let at = 0;
  for (const { 0: word, 1: string, 2: comment, index } of text.matchAll(WORDS)) {
    parts.push(text.slice(at, index), make('i', { class: string !== undefined ? 'str' : comment !== undefined ? 'com' : 'key' }, word));
    at = index + word.length;
  }
  return [...parts, text.slice(at)];
}

/** Where each card stands. @param {HTMLElement} stage @returns {Map<string, DOMRect>} */
export function places(stage) {
  return new Map([...stage.querySelectorAll('[data-key]')].map((card) => [/** @type {HTMLElement} */ (card).dataset.key ?? '', card.getBoundingClientRect()]));
}

/** Let cards glide from where they stood; nothing moves for who prefers that. @param {HTMLElement} stage @param {Map<string, DOMRect>} before */
export function glide(stage, before) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const card of stage.querySelectorAll('[data-key]')) {
    const was = before.get(/** @type {HTMLElement} */ (card).dataset.key ?? '');
    const is = card.getBoundingClientRect();
    const from = was === undefined ? { opacity: 0 } : { transform: `translate(${was.left - is.left}px, ${was.top - is.top}px)` };
    if (was === undefined || was.left !== is.left || was.top !== is.top) card.animate([from, {}], { duration: GLIDE_MS, easing: 'cubic-bezier(.2, .7, .2, 1)' });
  }
}
