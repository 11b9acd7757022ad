// What a search finds, where its marks stand, and how tables sort: against the plain way to say the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeRow, random, timeline } from './helpers.mjs';

const { Details, Recording, inOrder, marksIn, requestRows, search, sortRows, unpack } = timeline;
const folder = process.env.PLAYGROUND_TEST_PACKETS;
assert(folder, 'expected PLAYGROUND_TEST_PACKETS to name the folder that test_node.py fills: run these tests by pytest');

async function read(change = () => {}) {
  const recording = new Recording(await unpack(new Uint8Array(readFileSync(`${folder}/timeline.bin`))));
  change(recording.requests);
  return new Details(recording, recording.told);
}
const found = (details, query) => inOrder(search(details, query)).map((span) => {
  const { row, index } = span;
  return row.group === 'life' ? `#${details.recording.requestOf(span).number}` : `${row.name} ${details.recording.whatOf(span).label} ${index}`;
});

test('a request is found by its path, label, number or error, whatever the case', async () => {
  const details = await read((requests) => {
    requests[7].error = 'ValueError: no such Colour';
  });
  assert.deepEqual(found(details, '/REPORT'), ['#25']);
  assert.deepEqual(found(details, ' get /report '), ['#25']);
  assert.deepEqual(found(details, '#25'), ['#25']);
  assert.deepEqual(found(details, 'colour'), ['#7']);
  const items = details.recording.requests.filter(({ path, label }) => `${label} ${path}`.includes('/items/3')).map(({ number }) => `#${number}`);
  assert(items.length > 1);
  assert.deepEqual(found(details, '/items/3').sort(), items.sort());
  assert.deepEqual([found(details, ''), found(details, '  '), found(details, 'nothing of the kind')], [[], [], []]);
});

test('a status is found whole or by its class, and is no part of another number', async () => {
  const statuses = [404, 500, 503, 204];
  const details = await read((requests) => {
    statuses.forEach((status, i) => (requests[i].status = status));
    requests[4].status = null;
  });
  assert.deepEqual(found(details, '404'), ['#0']);
  assert.deepEqual(found(details, '5xx').sort(), ['#1', '#2']);
  assert.deepEqual(found(details, '5XX').sort(), ['#1', '#2']);
  assert.equal(found(details, '2xx').length, details.recording.requests.length - 4);
  assert(!found(details, '40').includes('#0'));
});

test('what ran in workers and the steps of tasks that are no request’s own are found by name', async () => {
  const details = await read();
  const { recording } = details;
  const workers = recording.rows.filter(({ group }) => group === 'worker');
  assert.equal(found(details, 'render_pdf').length, workers.reduce((sum, { length }) => sum + length, 0));
  const beats = Array.from(details.task.keys()).filter((step) => details.tasks[details.task[step]]?.name === 'heartbeat');
  assert(beats.length > 10);
  assert.deepEqual(found(details, 'heartbeat'), beats.map((step) => `Event loop heartbeat ${details.first[step]}`));
  // a child's steps by its name; a request's own task stands for the whole request
  assert(found(details, 'fetch 17').every((each) => each.startsWith('Event loop GET /summary')));
  assert.deepEqual(found(details, 'request 25'), ['#25']);
});

test('what is found comes in order of time', async () => {
  const all = inOrder(search(await read(), 'e'));
  assert(all.length > 100);
  for (let i = 1; i < all.length; i++) assert(all[i - 1].row.start[all[i - 1].index] <= all[i].row.start[all[i].index]);
});

test('marks are no closer than the grain, touch what is shown, and leave no span without one near', () => {
  const next = random(3);
  for (let round = 0; round < 60; round++) {
    const columns = { start: [], duration: [], kind: [], what: [], request: [] };
    for (let at = 0, i = 0; i < 400; i++) {
      at += Math.floor(next() ** 3 * 60);
      const duration = Math.floor(next() ** 4 * 50);
      Object.entries({ start: at, duration, kind: 0, what: 0, request: 0 }).forEach(([name, value]) => columns[name].push(value));
      at += duration;
    }
    const row = makeRow({ group: 'loop', lane: 0, name: '' }, columns);
    const spans = columns.start.map((_, i) => i).filter(() => next() < 0.6);
    const [from, grain] = [next() * 4000, 1 + next() * 40];
    const to = from + next() * 4000;
    const marks = marksIn(row, spans, from, to, grain);
    assert(marks.length <= 2 + (to - from) / grain, 'bounded by what is shown');
    for (let i = 1; i < marks.length; i++) assert(marks[i][1] >= Math.max(from, marks[i - 1][1]) + grain);
    for (const [start, end] of marks) assert(end >= from && start <= to);
    for (const index of spans) {
      if (row.end(index) < from || row.start[index] > to) continue;
      assert(marks.some(([start, end]) => row.start[index] <= Math.max(end, from) + grain && row.end(index) >= start - grain), `span ${index}`);
    }
  }
});

test('rows sort both ways by value, keep their order where that is equal, and put those without one last', () => {
  const rows = [{ n: 2, i: 0 }, { n: null, i: 1 }, { n: 1, i: 2 }, { n: 2, i: 3 }, { n: null, i: 4 }];
  const places = (down) => sortRows(rows, ({ n }) => n, down).map(({ i }) => i);
  assert.deepEqual(places(false), [2, 0, 3, 1, 4]);
  assert.deepEqual(places(true), [0, 3, 2, 1, 4]);
});

test('the shares of a request’s time are those of its lane’s spans', async () => {
  const { recording } = await read();
  const rows = requestRows(recording);
  assert.deepEqual(rows.map(({ request }) => request.number), recording.requests.map(({ number }) => number));
  for (const { span, shares } of rows) {
    const lane = recording.rows.find(({ group, lane: number }) => group === 'request' && number === span.row.lane);
    const sums = [0, 0, 0];
    for (let i = 0; i < lane.length; i++) {
      if (lane.request[i] !== span.row.request[span.index]) continue;
      const { shape } = timeline.KINDS[lane.kind[i]];
      sums[shape === 'full' ? 0 : shape === 'half' ? 1 : 2] += lane.duration[i];
    }
    assert.deepEqual(shares, sums.map((sum) => sum / span.row.duration[span.index]));
    assert(Math.abs(shares[0] + shares[1] + shares[2] - 1) < 0.02, `${shares}`);
  }
});
