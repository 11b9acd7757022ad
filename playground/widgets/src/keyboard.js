// Which key does what. Keys that mean nothing here, and those with Ctrl, Alt or Command, stay the page's.

/** @typedef {'previous' | 'next' | 'up' | 'down' | 'first' | 'last' | 'panLeft' | 'panRight' | 'zoomIn' | 'zoomOut' | 'fit' | 'fitSpan' | 'nextBlock' | 'follow' | 'open' | 'search' | 'clear'} Action */

/** @type {Record<string, Action>} */
const KEYS = {
  ArrowLeft: 'previous', ArrowRight: 'next', ArrowUp: 'up', ArrowDown: 'down', Home: 'first', End: 'last',
  '+': 'zoomIn', '=': 'zoomIn', '-': 'zoomOut', 0: 'fit', f: 'fitSpan', b: 'nextBlock', a: 'follow', Enter: 'open', '/': 'search', Escape: 'clear',
};

/** @type {Record<string, Action>} */
const SHIFTED = { ArrowLeft: 'panLeft', ArrowRight: 'panRight' };

/**
 * @param {{ key: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean }} event
 * @returns {Action | null}
 */
export function actionOf({ key, shiftKey, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (shiftKey && Object.hasOwn(SHIFTED, key)) return SHIFTED[key];
  return Object.hasOwn(KEYS, key) ? KEYS[key] : null;
}
