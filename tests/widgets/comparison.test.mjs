// A run's lanes in a comparison: the loop on top, workers below, nothing for rows that are empty.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRecording, timeline } from './helpers.mjs';

const { layRun } = timeline;

/** The loop, what was seen inside, and so many workers, the first of which did nothing. */
function recordingOf(workers) {
  const spans = [[0, 10, 0], [20, 10, 0]];
  return makeRecording({
    rows: [
      { group: 'loop', name: 'Event loop', spans }, { group: 'inside', spans: [] },
      ...Array.from({ length: workers }, (_, lane) => ({ group: 'worker', lane, name: `worker-${lane}`, spans: lane === 0 ? [] : spans })),
    ],
  });
}

test('the loop is pinned above the workers, and rows without spans take no room', () => {
  const { lanes, pinnedHeight, height } = layRun(recordingOf(3));
  assert.deepEqual(lanes.map(({ group, name }) => [group, name]), [['loop', 'Event loop'], ['worker', 'worker-1'], ['worker', 'worker-2']]);
  assert.ok(lanes[0].top + lanes[0].height <= pinnedHeight);
  assert.ok(lanes.slice(1).every(({ top }) => top >= pinnedHeight));
  assert.ok(lanes.at(-1).top + lanes.at(-1).height <= height);
});

test('no lane lies over another, and each is as high as its bars', () => {
  const { lanes } = layRun(recordingOf(5));
  lanes.slice(1).forEach((lane, i) => assert.ok(lane.top >= lanes[i].top + lanes[i].height));
  assert.ok(lanes.every(({ height, barTop, barHeight }) => barTop === 0 && barHeight === height));
});

test('a run in which nothing happened has no lanes', () => {
  assert.deepEqual(layRun(makeRecording({ rows: [{ group: 'loop', spans: [] }, { group: 'inside', spans: [] }] })).lanes, []);
});
