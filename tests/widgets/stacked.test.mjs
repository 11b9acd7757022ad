// Lanes of several ways to run the same jobs: what stands where, and that no lane is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRecording, timeline } from './helpers.mjs';

const { hitTest, layOut, project, requestRows } = timeline;

/** A recording of `count` ways with `lanes` lanes of one job each, below a worker's. */
function ways(count, lanes, kind = 0) {
  const span = (request) => [[0, 100, kind, 0, request]];
  const numbers = Array.from({ length: count * lanes }, (_, lane) => lane);
  const rows = Array.from({ length: count }, (_, way) => [
    { group: 'heading', lane: way, name: `way ${way}`, spans: [] },
    { group: 'worker', name: 'loop', spans: span(way * lanes) },
    ...numbers.slice(way * lanes, (way + 1) * lanes).map((lane) => ({ group: 'request', lane, name: 'loop', spans: span(lane) })),
  ]).flat();
  const lives = numbers.map((lane) => ({ group: 'life', lane, name: 'loop', spans: span(lane) }));
  return makeRecording({ rows: [...rows, ...lives], requests: numbers.map((lane) => `way ${Math.floor(lane / lanes)}`), noun: 'job', heading: 'Jobs' });
}

test('ways stand below one another, each below its heading, and no lane overlaps another', () => {
  for (const [count, lanes] of [[1, 1], [3, 20], [14, 20], [14, 200]]) {
    const { lanes: laid, height, pinnedHeight } = layOut(ways(count, lanes));
    assert.equal(pinnedHeight, 0);
    assert.deepEqual(laid.map(({ group }) => group), Array.from({ length: count }, () => ['heading', 'worker', ...Array(lanes).fill('request')]).flat());
    laid.forEach((lane, i) => assert(lane.top + lane.height < (laid[i + 1]?.top ?? height)));
  }
});

test('each job has the lane of its own life', () => {
  const { lanes } = layOut(ways(3, 4));
  const jobs = lanes.filter(({ group }) => group === 'request');
  assert.deepEqual(jobs.map(({ row, life }) => [row.request[0], life.request[0]]), jobs.map((_, i) => [i, i]));
});

test('the more lanes, the thinner, and a name is written where there is room for it', () => {
  const heights = [1, 60, 280, 2800].map((lanes) => layOut(ways(1, lanes)).lanes.at(-1).height);
  assert.deepEqual(heights, [13, 13, 5, 5]);
  const single = (count) => layOut(makeRecording({
    rows: Array.from({ length: count }, (_, lane) => ['request', 'life'].map((group) => ({ group, lane, name: `thread ${lane}`, spans: [[0, 9, 0, 0, 0]] }))).flat(),
    requests: ['threads'], noun: 'job',
  })).lanes.map(({ name }) => name);
  assert.deepEqual(single(2), ['thread 0', 'thread 1']);
  assert.deepEqual(new Set(single(200)), new Set(['']));
});

test('a point in a lane is a job, and one in a heading is nothing', () => {
  const recording = ways(2, 3);
  const layout = layOut(recording);
  const projection = project({ width: 1000, height: 600, scroll: 0 }, { start: 0, end: 1000 });
  for (const lane of layout.lanes) {
    const hit = hitTest(layout, projection, projection.x(50), 30 + lane.top + lane.height / 2);
    assert.equal(hit?.span.row ?? null, lane.group === 'heading' ? null : lane.row);
  }
});

test('who would run if it could is ready, in the table as in the picture', () => {
  const shares = (kind) => requestRows(ways(1, 1, kind))[0].shares;
  assert.deepEqual(shares(0), [1, 0, 0]);
  for (const kind of [4, 11, 12, 13]) assert.deepEqual(shares(kind), [0, 1, 0]);
  for (const kind of [6, 8, 10]) assert.deepEqual(shares(kind), [0, 0, 1]);
});
