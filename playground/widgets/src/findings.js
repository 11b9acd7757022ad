// The findings, in words, above the picture: each with a button that shows the place. Every word comes from Python.

import { make, makeButton } from './dom.js';

/** @typedef {import('./recording.js').Finding} Finding */

const FIRST = 3;  // more would push the picture off the screen
const SEVERITIES = ['bad', 'warn', 'note'];

/**
 * @param {HTMLElement} list
 * @param {Finding[]} findings
 * @param {(finding: Finding) => void} show
 * @param {AbortSignal} signal
 */
export function fillFindings(list, findings, show, signal) {
  list.append(...findings.slice(0, FIRST).map((finding) => item(finding, show, signal)));
  const rest = findings.slice(FIRST);
  if (rest.length === 0) return;
  const more = make('li', { class: 'more' });
  const words = `Show ${rest.length} more finding${rest.length === 1 ? '' : 's'}`;
  more.append(makeButton(words, { title: words }, () => more.replaceWith(...rest.map((finding) => item(finding, show, signal))), signal));
  list.append(more);
}

/** @param {Finding} finding @param {(finding: Finding) => void} show @param {AbortSignal} signal */
function item(finding, show, signal) {
  const severity = SEVERITIES.includes(finding.severity) ? finding.severity : 'note';
  const words = make('p', {}, ...finding.parts.map(part));
  return make('li', { class: severity }, words, makeButton('Show', { title: 'Show where this happened' }, () => show(finding), signal));
}

/** A piece of a sentence: text, a name in code, or what is strong. @param {[string, string]} entry */
export function part([style, text]) {
  return style === 'strong' || style === 'code' ? make(style, {}, text) : document.createTextNode(text);
}
