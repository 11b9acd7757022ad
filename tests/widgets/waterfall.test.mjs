// Where a stretch of time lies across a lane of the waterfall.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeline } from './helpers.mjs';

const { placed } = timeline;

/** @param {string} style */
function numbers(style) {
  const [, left, width] = /^left: min\(([\d.e-]+)%, 100% - 2px\); width: ([\d.e-]+)%$/.exec(style) ?? [];
  return [Number(left), Number(width)];
}

test('a stretch lies at its share of the whole', () => {
  assert.deepEqual(numbers(placed(25, 75, 100)), [25, 50]);
  assert.deepEqual(numbers(placed(0, 100, 100)), [0, 100]);
  assert.deepEqual(numbers(placed(100, 100, 100)), [100, 0]);
});

test('a request of no length has all at its start', () => {
  assert.deepEqual(numbers(placed(0, 0, 0)), [0, 0]);
});
