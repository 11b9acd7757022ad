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
