// Rows and their extent tree, against brute force on random rows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRow, random, randomRow, timeline } from './helpers.mjs';

const { Occupancy, collect, compose, overlap } = timeline;
const SIZES = [0, 1, 2, 15, 16, 17, 63, 64, 65, 257, 1000, 5000];

const forEachRow = (check) => SIZES.forEach((length, i) => check(randomRow(i + 1, length), random(length + 1)));
const spanOf = (row) => (row.length === 0 ? 10 : row.end(row.length - 1) + 10);

test('the spans found at a time are those that a search one by one finds', () => {
  forEachRow((row, next) => {
    const indexes = Array.from({ length: row.length }, (_, i) => i);
    for (let round = 0; round < 60; round++) {
      const time = Math.floor(next() * spanOf(row)) - 3;
      const from = indexes.find((i) => row.start[i] >= time) ?? row.length;
      assert.equal(row.firstFrom(time), from);
      const before = from - 1;
      assert.equal(row.firstAlive(time), before >= 0 && row.end(before) > time ? before : from);
    }
  });
});

test('the nearest span is as near as any, and none is found beyond the slack', () => {
  const away = (row, i, time) => Math.max(row.start[i] - time, time - row.end(i), 0);
  forEachRow((row, next) => {
    for (let round = 0; round < 60; round++) {
      const time = next() * spanOf(row);
      const slack = round % 2 ? Infinity : next() * 20;
      const best = Math.min(Infinity, ...Array.from({ length: row.length }, (_, i) => away(row, i, time)));
      const found = row.nearest(time, slack);
      if (best > slack || row.length === 0) assert.equal(found, -1);
      else assert.equal(away(row, found, time), best);
    }
  });
});

test('where two spans touch, the one that begins there is the nearest', () => {
  const row = randomRow(3, 0);
  const touching = new row.constructor(row, {
    start: Uint32Array.of(0, 10), duration: Uint32Array.of(10, 5), kind: Uint8Array.of(0, 1), what: Uint16Array.of(0, 0), request: Uint32Array.of(0, 0),
  });
  assert.equal(touching.nearest(10), 1);
});

test('the busy time of any stretch is the sum of what its spans take of it', () => {
  forEachRow((row, next) => {
    for (let round = 0; round < 60; round++) {
      const from = next() * spanOf(row);
      const to = from + next() * (spanOf(row) - from);
      let expected = 0;
      for (let i = 0; i < row.length; i++) expected += Math.max(0, Math.min(to, row.end(i)) - Math.max(from, row.start[i]));
      assert(Math.abs(row.busy(from, to) - expected) < 1e-6, `${row.busy(from, to)} is not ${expected}`);
    }
  });
});

test('each node of the tree holds the time of each kind below it', () => {
  forEachRow((row) => {
    const totals = row.kinds.map((kind) => row.duration.reduce((sum, duration, i) => sum + (row.kind[i] === kind ? duration : 0), 0));
    for (const level of row.levels) {
      const sums = row.kinds.map((_, slot) => level.reduce((sum, value, i) => sum + (i % row.kinds.length === slot ? value : 0), 0));
      assert.deepEqual(sums, totals);
    }
    assert(row.levels.at(-1).length <= row.kinds.length, 'the top of the tree is one node');
  });
});

test('a row and its tree take at most 19 bytes a span, which leaves five of 24 for what is told of requests', () => {
  const row = randomRow(5, 100_000, [0, 1, 3, 4, 5, 6, 7, 8, 9]);
  const columns = [row.start, row.duration, row.kind, row.what, row.request, ...row.levels];
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, 0) / row.length;
  assert(bytes <= 19, `${bytes} bytes`);
});

test('what is drawn is what is there: nothing is lost, and nothing moves by more than a pixel', () => {
  forEachRow((row, next) => {
    for (let round = 0; round < 12; round++) {
      const start = next() * spanOf(row) * 0.5;
      const width = 40 + Math.floor(next() * 300);
      const scale = width / (1 + next() * (spanOf(row) - start));
      const occupancy = new Occupancy(width);
      const wide = collect(row, { start, scale, width }, 6, occupancy, { nodes: 0, spans: 0 });
      checkCoverage(row, { start, scale, width }, wide, occupancy);
    }
  });
});

function checkCoverage(row, { start, scale, width }, wide, occupancy) {
  const isWide = new Set(wide);
  for (const kind of row.kinds) {
    const exact = new Float64Array(width);
    for (let i = 0; i < row.length; i++) {
      const x = (row.start[i] - start) * scale;
      const across = row.duration[i] * scale;
      assert.equal(isWide.has(i), across >= 6 && x < width && x + across > 0, `span ${i}, ${across} pixels wide at ${x}`);
      if (row.kind[i] !== kind || isWide.has(i)) continue;
      const end = x + (across > 3 ? across - 1 : across);
      for (let p = Math.max(0, Math.floor(x)); p < Math.min(width, end); p++) exact[p] += Math.max(0, Math.min(p + 1, end) - Math.max(p, x));
    }
    let [drawn, there] = [0, 0];
    for (let p = 0; p < width; p++) {
      drawn += occupancy.cover[kind][p];
      there += exact[p];
      assert(Math.abs(drawn - there) < 1.02, `kind ${kind} up to pixel ${p}: ${drawn} drawn, ${there} there`);
    }
  }
}

test('the work of a frame is bounded by its pixels, not by the spans', () => {
  const width = 1000;
  for (const length of [1_000, 10_000, 100_000, 1_000_000]) {
    const row = randomRow(11, length);
    const whole = spanOf(row);
    for (const share of [1, 0.3, 0.01, 0.0001]) {
      const counts = { nodes: 0, spans: 0 };
      const scale = width / (whole * share);
      collect(row, { start: whole * 0.4 * (1 - share), scale, width }, 4, new Occupancy(width), counts);
      const levels = Math.log(Math.max(4, length)) / Math.log(4);
      assert(counts.nodes <= 2 * width * levels, `${length} spans, ${share} in view: ${counts.nodes} nodes`);
      assert(counts.spans <= 16 * 2 * width, `${length} spans, ${share} in view: ${counts.spans} spans`);
    }
  }
});

test('a single short span is painted, in its own scanline, and the occupancy is clean afterwards', () => {
  const occupancy = new Occupancy(8);
  occupancy.add(4, 2.4, 2.5);
  occupancy.add(0, 5, 5);
  const pixels = new Uint32Array(24);
  compose(occupancy, [0, 4], timeline.LIGHT.kinds.map(() => [1, 2, 3]), pixels, 0);
  assert.deepEqual(Array.from(pixels.keys()).filter((i) => pixels[i] !== 0), [8 + 2, 16 + 5]);
  assert((pixels[10] >>> 24) >= 40, 'at least a sixth of its colour, to be seen');
  assert.equal(pixels[10] & 0xffffff, 0x030201);
  assert(occupancy.used.every((used) => used === 0) && occupancy.cover.every((cover) => cover.every((value) => value === 0)));
});

test('spans that take no time at all show, however many share a pixel', () => {
  const spans = { start: Array.from({ length: 5000 }, (_, i) => i), duration: Array(5000).fill(0), kind: Array(5000).fill(1), what: Array(5000).fill(0), request: Array(5000).fill(0) };
  const row = makeRow({ group: 'loop', lane: 0, name: 'loop' }, spans);
  for (const scale of [0.001, 0.01, 1]) {
    const occupancy = new Occupancy(5);
    collect(row, { start: 0, scale, width: 5 }, 4, occupancy, { nodes: 0, spans: 0 });
    assert.deepEqual(Array.from(occupancy.used), Array.from({ length: 5 }, (_, x) => (x < 5000 * scale ? 1 : 0)), `at ${scale} pixels a tick`);
    assert(occupancy.cover[1].some((cover) => cover > 0));
  }
});

test('a pixel that one state fills has exactly that state’s colour', () => {
  const occupancy = new Occupancy(2);
  occupancy.add(9, 0, 1);
  const pixels = new Uint32Array(6);
  compose(occupancy, [0, 9], timeline.LIGHT.kinds.map((_, kind) => [kind, 14, 38]), pixels, 0);
  assert.equal(pixels[4], ((255 << 24) | (38 << 16) | (14 << 8) | 9) >>> 0);
});

test('the overlap of rows is the greatest number of spans alive at once', () => {
  const rows = [randomRow(1, 200), randomRow(2, 150), randomRow(3, 90)];
  let most = 0;
  for (const row of rows) {
    for (const time of row.start) {
      const alive = rows.reduce((sum, each) => sum + Array.from(each.start).filter((start, i) => start <= time && time < each.end(i)).length, 0);
      most = Math.max(most, alive);
    }
  }
  assert.equal(overlap(rows), most);
  assert.equal(overlap([]), 0);
});
