// The stage's elements: what `Play.state` says, as columns of cards, and the source beside what runs. All of it is made anew
// for each place, so that the same place always looks the same; a card that stands elsewhere than before glides there.

import { make } from './dom.js';
import { formatCount } from './format.js';
import { KINDS } from './kinds.js';
import { textOn } from './theme.js';

/** @typedef {import('./play.js').Card} Card */

const GLIDE_MS = 320;

/**
 * @param {HTMLElement} stage
 * @param {import('./play.js').Group[]} groups
 * @param {import('./play.js').Source | undefined} source
 * @param {{ columns: [string, string, string][], empty: string, more: string, no_source: string }} words
 * @param {import('./theme.js').Theme} theme
 */
export function setStage(stage, groups, source, words, theme) {
  stage.replaceChildren(...groups.map(({ cards, count, more = count - cards.length, note }, i) => {
    const [name, title, told] = words.columns[i];
    const column = make('section', { class: name, role: 'group', 'aria-label': title }, make('h2', {}, title, make('b', {}, formatCount(count))), make('p', {}, note ?? told),
      cards.length ? make('ul', {}, ...cards.map((card) => item(card, theme))) : make('p', {}, words.empty));
    if (more > 0) column.append(make('p', {}, `+ ${formatCount(more)} ${words.more}`));
    if (i === 1 && cards.length) column.append(source?.[3][0] ? listing(source) : make('p', {}, source?.[0] ?? words.no_source));
    return column;
  }));
}

/** @param {Card} card @param {import('./theme.js').Theme} theme */
function item({ key, label, tag, note, kind, code, share = 0 }, theme) {
  const { name } = KINDS[kind];
  const style = `--c: var(--kind-${name}); --on: ${textOn(theme.kinds[kind])}; --share: ${share}turn`;
  const parts = [make('strong', {}, label), make('em', {}, tag), make('small', {}, note)];
  if (code) parts.push(make('code', {}, code));
  return make('li', { class: name, style, 'data-key': key }, make('i'), ...parts);
}

/** @param {import('./play.js').Source} source */
function listing([file, lit, first, lines]) {
  return make('div', { class: 'source' }, make('small', {}, file), ...lines.map((parts, i) =>
    make('code', { class: first + i === lit ? 'lit' : '' }, make('b', {}, `${first + i}`), ...parts.map(([style, text]) => make('i', { class: style }, text)))));
}

/** Change the stage, and let each card glide from where it stood; nothing moves for who prefers that. @param {HTMLElement} stage @param {() => void} change */
export function glide(stage, change) {
  const cards = () => /** @type {HTMLElement[]} */ ([...stage.querySelectorAll('[data-key]')]);
  const before = new Map(cards().map((card) => [card.dataset.key, card.getBoundingClientRect()]));
  change();
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const card of cards()) {
    const [was, is] = [before.get(card.dataset.key), card.getBoundingClientRect()];
    const from = was ? { transform: `translate(${was.left - is.left}px, ${was.top - is.top}px)` } : { opacity: 0 };
    if (was?.left !== is.left || was.top !== is.top) card.animate([from, {}], { duration: GLIDE_MS, easing: 'ease-out' });
  }
}
