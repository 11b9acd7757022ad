// What differs, as tables: a row for each run, and a row for each request with a mark for every run on one scale.
// Real tables, so that they can be heard and copied; the scale of a mark is the only picture in them.

import { make, makeTable } from './dom.js';
import { formatDuration } from './format.js';
import { timeTicks } from './geometry.js';

/** @typedef {import('./comparison-run.js').RunFacts} RunFacts */
/** @typedef {[number, string, (number | null)[], number]} Pair number, label, how long each run took, the greatest difference; in nanoseconds */

/** @param {RunFacts[]} runs */
export function runsTable(runs) {
  const names = [...new Set(runs.flatMap(({ facts }) => facts.map(([name]) => name)))];
  const rows = runs.map(({ letter, mark, name, facts }) => {
    const told = new Map(facts);
    const cells = names.map((each) => make('td', {}, told.get(each) ?? '–'));
    return make('tr', {}, make('th', { scope: 'row' }, make('i', {}, mark), ` ${letter} ${name}`), ...cells);
  });
  return makeTable('', ['run', ...names], rows, { 'aria-label': 'Runs' });
}

/** @param {Pair[]} pairs @param {RunFacts[]} runs */
export function pairsTable(pairs, runs) {
  const most = Math.max(1, ...pairs.flatMap(([, , took]) => took.map((ns) => ns ?? 0)));
  const rows = pairs.map(([number, label, took, later]) => make('tr', {},
    make('th', { scope: 'row' }, `#${number} ${label}`),
    make('td', { class: 'scale' }, dumbbell(took, most, runs)),
    ...took.map((ns) => make('td', { class: 'ns' }, ns === null ? '–' : formatDuration(ns))),
    make('td', {}, difference(later))));
  const made = makeTable('', ['request', '', ...runs.map(({ letter }) => letter), 'difference'], rows, { 'aria-label': 'Requests, by difference' });
  const [, scale, ...heads] = made.querySelectorAll('th');
  scale.append(axis(most, 2));  // as many as have room in a notebook 400 pixels wide
  for (const head of heads.slice(0, runs.length)) head.classList.add('ns');
  return made;
}

/** A mark for every run, joined by a line. @param {(number | null)[]} took @param {number} most @param {RunFacts[]} runs */
function dumbbell(took, most, runs) {
  const known = took.filter((ns) => ns !== null);
  const [from, to] = [Math.min(...known), Math.max(...known)].map((ns) => (ns / most) * 100);
  const marks = took.flatMap((ns, i) => (ns === null ? [] : [make('i', { title: `${runs[i].letter} ${formatDuration(ns)}`, style: `left: ${(ns / most) * 100}%` }, runs[i].mark)]));
  return make('div', { class: 'bell', 'aria-hidden': 'true' }, make('b', { style: `left: ${from}%; width: ${to - from}%` }), ...marks);
}

/** @param {number} most in nanoseconds @param {number} count */
function axis(most, count) {
  const { ticks } = timeTicks(0, most, count);
  return make('div', { class: 'bell' }, ...ticks.map((ns) => make('span', { style: `left: ${(ns / most) * 100}%` }, ns === 0 ? '0' : formatDuration(ns))));
}

/** @param {number} later */
function difference(later) {
  return later === 0 ? '0' : `${later > 0 ? '+' : '−'}${formatDuration(Math.abs(later))}`;
}
