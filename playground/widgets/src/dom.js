// Makes elements. Text from a recording gets in through text nodes and nothing else, so that no name, path or
// message of an app can ever be markup.

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children strings become text
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'style') element.style.cssText = value;  // a strict security policy forbids the attribute
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {string} text
 * @param {{ title: string, label?: string }} words
 * @param {() => void} act
 * @param {AbortSignal} signal
 */
export function makeButton(text, { title, label }, act, signal) {
  const button = make('button', { type: 'button', title, ...(label === undefined ? {} : { 'aria-label': label }) }, text);
  button.addEventListener('click', act, { signal });
  return button;
}

/**
 * A button that shows what is hidden, and hides it again.
 * @param {string} text
 * @param {{ title: string, label?: string }} words
 * @param {HTMLElement} element
 * @param {AbortSignal} signal
 * @param {() => void} [fill] called before it is shown or hidden
 */
export function makeOpener(text, words, element, signal, fill = () => {}) {
  const button = makeButton(text, words, () => {
    fill();
    element.hidden = !element.hidden;
    button.setAttribute('aria-expanded', `${!element.hidden}`);
  }, signal);
  button.setAttribute('aria-expanded', 'false');
  return button;
}

/** @param {Record<string, string>} attributes @param {string[]} texts */
export function makeList(attributes, texts) {
  return make('ul', attributes, ...texts.map((text) => make('li', {}, text)));
}

/** @param {Record<string, string>} attributes @param {[term: string, ...parts: (Node | string)[]][]} entries */
export function makeTerms(attributes, entries) {
  return make('dl', attributes, ...entries.flatMap(([term, ...parts]) => [make('dt', {}, term), make('dd', {}, ...parts)]));
}

/** @param {string} tag `td`, or `th` for the heads of columns @param {(Node | string)[]} cells */
export function makeRow(tag, cells) {
  return make('tr', {}, ...cells.map((cell) => make(tag, tag === 'th' ? { scope: 'col' } : {}, cell)));
}

/**
 * @param {string} caption without one, `attributes` name the table
 * @param {(Node | string)[]} heads of the columns, if they have any
 * @param {HTMLElement[]} rows
 * @param {Record<string, string>} [attributes]
 */
export function makeTable(caption, heads, rows, attributes = {}) {
  const table = make('table', attributes, make('tbody', {}, ...rows));
  if (heads.length > 0) table.prepend(make('thead', {}, makeRow('th', heads)));
  if (caption !== '') table.prepend(make('caption', {}, caption));
  return table;
}
