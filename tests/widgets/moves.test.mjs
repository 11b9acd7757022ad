// Keys, moves of the selection, hand-offs, and the colours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRecording, random, timeline } from './helpers.mjs';

const { Arrows, DARK, FEW, KINDS, LIGHT, across, actionOf, along, alongArrow, blockAfter, layOut, luminance, textOn, throttle } = timeline;
const key = (name, held = {}) => actionOf({ key: name, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held });

test('the keys of the plan do what it says, and all others stay the page’s', () => {
  const plan = { ArrowLeft: 'previous', ArrowRight: 'next', ArrowUp: 'up', ArrowDown: 'down', Home: 'first', End: 'last', '+': 'zoomIn', '=': 'zoomIn', '-': 'zoomOut', 0: 'fit', f: 'fitSpan', b: 'nextBlock', a: 'follow', Enter: 'open', '/': 'search', Escape: 'clear' };
  for (const [name, action] of Object.entries(plan)) assert.equal(key(name), action);
  assert.equal(key('ArrowLeft', { shiftKey: true }), 'panLeft');
  assert.equal(key('+', { shiftKey: true }), 'zoomIn');
  for (const name of ['Tab', ' ', 'x', 'toString', 'constructor']) assert.equal(key(name), null);
  for (const held of ['ctrlKey', 'metaKey', 'altKey']) assert.equal(key('b', { [held]: true }), null);
});

const recording = () => makeRecording({
  rows: [
    { group: 'loop', spans: [[0, 100, 0], [200, 50, 9], [400, 100, 0], [600, 90, 9]] },
    { group: 'worker', lane: 0, name: 'worker-0', spans: [] },
    { group: 'worker', lane: 1, name: 'worker-1', spans: [[105, 80, 3], [420, 150, 3]] },
  ],
  arrows: [[570, 605, 2, 0, 0], [90, 105, 0, 2, 0]],
});
const at = (span) => span && `${span.row.name} ${span.index}`;

test('moves along a row stop at its ends', () => {
  const { loop: row } = recording();
  assert.equal(along({ row, index: 1 }, 1).index, 2);
  assert.equal(along({ row, index: 3 }, 1).index, 3);
  assert.equal(along({ row, index: 1 }, -Infinity).index, 0);
  assert.equal(along({ row, index: 1 }, Infinity).index, 3);
});

test('moves across lanes go to the nearest moment and pass over empty lanes', () => {
  const it = recording();
  const layout = layOut(it);
  assert.equal(at(across(layout, { row: it.loop, index: 2 }, 1)), 'worker-1 1');
  assert.equal(at(across(layout, { row: it.rows[2], index: 0 }, -1)), 'loop 0');
  assert.equal(across(layout, { row: it.loop, index: 0 }, -1), null);
});

test('a hand-off is followed to its other end and back', () => {
  const it = recording();
  assert.equal(at(alongArrow(it, { row: it.loop, index: 0 })), 'worker-1 0');
  assert.equal(at(alongArrow(it, { row: it.rows[2], index: 1 })), 'loop 3');
  assert.equal(alongArrow(it, { row: it.loop, index: 1 }), null);
});

test('the next block is the next one in time, and after the last comes the first', () => {
  const it = recording();
  assert.deepEqual([-1, 200, 600].map((time) => blockAfter(it, time).index), [1, 3, 1]);
  assert.equal(blockAfter(makeRecording({ rows: [{ group: 'loop', spans: [[0, 5, 0]] }] }), -1), null);
});

function randomArrows(count, seed) {
  const next = random(seed);
  const columns = { arrow_start: [], arrow_end: [], arrow_from: [], arrow_to: [], arrow_request: [] };
  for (let i = 0; i < count; i++) {
    const start = Math.floor(next() * 10_000);
    columns.arrow_start.push(start);
    columns.arrow_end.push(start + Math.floor(next() ** 4 * 5_000));
    columns.arrow_from.push(0);
    columns.arrow_to.push(1);
    columns.arrow_request.push(Math.floor(next() * 20));
  }
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Uint32Array.from(values)]));
}

test('all arrows that touch the view are drawn while they are few, else only the selected request’s', () => {
  const columns = randomArrows(3000, 4);
  const arrows = new Arrows(columns);
  const next = random(9);
  for (let round = 0; round < 200; round++) {
    const from = next() * 10_000;
    const to = from + next() ** 3 * 8_000;
    const touching = Array.from(arrows.start.keys()).filter((i) => arrows.start[i] < to && arrows.end[i] >= from);
    const expected = touching.length <= FEW ? touching : touching.filter((i) => arrows.request[i] === 7).slice(0, FEW);
    assert.deepEqual(arrows.choose(from, to, 7), expected);
    if (touching.length > FEW) assert.deepEqual(arrows.choose(from, to, 0xffffffff), []);
  }
});

test('the palettes are the design’s', () => {
  assert.deepEqual(LIGHT.kinds, ['#0447A3', '#5895DE', '#6E7582', '#DC5E02', '#A47B23', '#52626C', '#3F978D', '#781099', '#B86215', '#A40E26', '#6E7582', '#781099', '#6E7582', '#5895DE']);
  assert.deepEqual(DARK.kinds, ['#6196F2', '#3A5FAA', '#C5CBD9', '#F79840', '#E9B916', '#526471', '#74E5C7', '#C389F9', '#E07122', '#DA3141', '#C5CBD9', '#C389F9', '#C5CBD9', '#3A5FAA']);
});

const contrast = (one, other) => {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};

test('every state stands out from its background, and its label from it', () => {
  for (const theme of [LIGHT, DARK]) {
    theme.kinds.forEach((colour, kind) => {
      assert(contrast(colour, theme.ui.bg) >= 2.99, `${KINDS[kind].name} ${colour} on ${theme.ui.bg}: ${contrast(colour, theme.ui.bg)}`);
      if (KINDS[kind].shape === 'full') assert(contrast(textOn(colour), colour) >= 4, `label on ${KINDS[kind].name} ${colour}`);
    });
    for (const ink of ['text', 'muted', 'faint']) {
      for (const ground of ['bg', 'panel']) assert(contrast(theme.ui[ink], theme.ui[ground]) >= 4.5, `${ink} on ${ground}`);
    }
  }
});

test('a throttled stream keeps its rate, sends the last value, and stops with its signal', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const tick = (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const aborter = new AbortController();
  const sent = [];
  const send = throttle((value) => sent.push(value), 100, aborter.signal);
  for (let i = 0; i < 50; i++) {
    send(i);
    tick(10);
  }
  assert(sent.length <= 6, `${sent.length} sent in 500 ms`);
  tick(100);
  assert.equal(sent.at(-1), 49);
  send('held');
  send('lost');
  aborter.abort();
  tick(1000);
  assert(!sent.includes('lost'));
});
