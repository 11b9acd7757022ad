// Opening a place in the source from a view. In JupyterLab and Notebook 7 the cell stands on the same page: it is found by
// the number beside it, and its line by its text, so that a cell that was changed since is not mistaken for what ran.
// Anything else a view cannot open, and it says so. Only the page's elements are used, no program's insides.

import { formatSite } from './format.js';

const MARKED_MS = 2500;

/**
 * Bring a line of a cell into view and mark it.
 * @param {HTMLElement} host of the view, somewhere in a notebook or not
 * @param {{ file: string, line: number, text: string }} place
 * @param {boolean} told whether Python hears of it
 * @returns {string} what came of it, in words
 */
export function openSource(host, place, told) {
  const words = formatSite(place);
  const number = /^cell (\d+)$/.exec(place.file)?.[1];
  const notebook = host.closest('.jp-Notebook');
  if (number === undefined || notebook === null) return `${words}: nothing here can open it${told ? '; Python was told (“opened”).' : '.'}`;
  const cell = [...notebook.querySelectorAll('.jp-CodeCell')].find((each) => each.querySelector('.jp-InputPrompt')?.textContent?.trim() === `[${number}]:`);
  if (cell === undefined) return `No cell in sight bears [${number}]: it was run again since, or stands far from here.`;
  cell.scrollIntoView({ block: 'center' });
  const line = /** @type {HTMLElement | undefined} */ (cell.querySelectorAll('.cm-line')[place.line - 1]);
  if (line === undefined || (place.text !== '' && line.textContent?.trim() !== place.text)) return `Cell ${number} is in view, but its line ${place.line} is not in sight or was changed since it ran.`;
  line.scrollIntoView({ block: 'center' });
  line.animate([{ outline: '2px solid currentColor' }, { outline: '2px solid currentColor' }], MARKED_MS);
  return `${words} is marked in its cell.`;
}
