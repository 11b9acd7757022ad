// A recording that grows is the one that would be made of the same spans at once, whatever was taken back on the way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE, makeRecording, makeRow, random, randomRow, timeline } from './helpers.mjs';

const { Arrows, grow, growRow } = timeline;
const FIELDS = ['start', 'duration', 'kind', 'what', 'request'];
const META = { group: 'loop', lane: 0, name: 'loop' };

const facts = (row) => ({ length: row.length, kinds: row.kinds, levels: row.levels.map((level) => [...level]), ...Object.fromEntries(FIELDS.map((name) => [name, [...row[name]]])) });

/** The spans of a row from one on, as they travel: starts as gaps, the first from 0. */
function fresh(row, from, until) {
  const start = [...row.start.subarray(from, until)];
  const gaps = Uint32Array.from(start, (at, i) => at - (i === 0 ? 0 : start[i - 1]));
  return (name) => (name === 'start' ? gaps : row[name].subarray(from, until));
}

test('a row that grows, and of which spans are taken back, is the row of the same spans', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const kinds = [[0], [0, 4, 9], [2, 0, 7, 1]][seed % 3];
    const grown = makeRow(META, { start: [], duration: [], kind: [], what: [], request: [] });
    let length = 0;
    for (let round = 0; round < 12; round++) {
      const other = randomRow(seed, 400, round < 6 ? kinds.slice(0, 1) : kinds);  // of one kind first: the tree's width changes
      const all = randomRow(seed, 400, kinds);
      const source = round < 6 ? other : all;
      const keep = round === 6 ? 0 : Math.floor(next() ** 0.2 * length);
      length = keep + Math.floor(next() * (400 - keep));
      growRow(grown, keep, fresh(source, keep, length));
      const columns = Object.fromEntries(FIELDS.map((name) => [name, [...source[name].subarray(0, length)]]));
      if (round !== 0 && round < 6) assert.deepEqual(grown.kinds, length === 0 && grown.kinds.length === 0 ? [] : kinds.slice(0, 1));
      const whole = makeRow(META, columns);
      if (whole.kinds.length === grown.kinds.length) assert.deepEqual(facts(grown), facts(whole));
      else for (const name of FIELDS) assert.deepEqual([...grown[name]], columns[name]);
      for (let i = 0; i < 20; i++) {
        const [from, to] = [next() * 15000, next() * 15000].sort((a, b) => a - b);
        assert.equal(grown.busy(from, to), whole.busy(from, to));
      }
    }
  }
});

test('what is written over is in proportion to what is new', () => {
  const row = makeRow(META, { start: [], duration: [], kind: [], what: [], request: [] });
  const all = randomRow(3, 5000, [0]);
  growRow(row, 0, fresh(all, 0, 4000));
  const [start, leaves] = [row.start.buffer, row.levels[0].buffer];
  for (let length = 4001; length <= 5000; length++) growRow(row, length - 1, fresh(all, length - 1, length));
  assert.equal(row.start.buffer, start);  // there was room, and so nothing was copied
  assert.equal(row.levels[0].buffer, leaves);
});

test('arrows that come nearly in order stand in order, and are found as if they had come at once', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed);
    const recording = makeRecording({ rows: [{ group: 'loop', lane: 0, name: '', spans: [] }] });
    const columns = { arrow_start: [], arrow_end: [], arrow_from: [], arrow_to: [], arrow_request: [] };
    for (let round = 0; round < 8; round++) {
      const new_ = { arrow_start: [], arrow_end: [], arrow_from: [], arrow_to: [], arrow_request: [] };
      for (let i = Math.floor(next() * 90); i > 0; i--) {
        const at = Math.floor(round * 1000 + next() * 3000);
        const values = [at, at + Math.floor(next() * 500), 0, 2 + Math.floor(next() * 3), Math.floor(next() * 9)];
        Object.keys(new_).forEach((name, k) => { new_[name].push(values[k]); columns[name].push(values[k]); });
      }
      const packed = Object.fromEntries(Object.entries(new_).map(([name, list]) => [name, Uint32Array.from(list)]));
      grow(recording, { header: { tick_ns: 1, duration_ns: 20000, summary: '', dropped: 0, at_once: 0, whats: [], requests: [], rows: [], patches: [] }, columns: packed });
      const whole = new Arrows(Object.fromEntries(Object.entries(columns).map(([name, list]) => [name, Uint32Array.from(list)])));
      assert.deepEqual([...recording.arrows.start], [...whole.start]);
      const found = (arrows, from, to) => arrows.touching(from, to, Infinity, NONE).map((i) => `${arrows.start[i]} ${arrows.end[i]} ${arrows.to[i]} ${arrows.request[i]}`).sort();
      for (let i = 0; i < 20; i++) {
        const from = next() * 12000;
        assert.deepEqual(found(recording.arrows, from, from + 500), found(whole, from, from + 500));
      }
    }
  }
});
