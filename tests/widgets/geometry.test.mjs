// Where things stand: ranges, axes, lanes, and what lies under a point.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRecording, random, timeline } from './helpers.mjs';

const { around, between, centred, clampRange, dragged, formatDuration, formatMoment, gripAt, hitTest, layOut, placeChips, project, timeTicks, wheelOctaves, wordsOn } = timeline;

test('a clamped range lies within the run, keeps its width where it can, and never shrinks below the narrowest', () => {
  const next = random(1);
  for (let round = 0; round < 500; round++) {
    const start = next() * 3000 - 1000;
    const range = clampRange({ start, end: start + next() * 2000 }, 1000, 10);
    assert(range.start >= 0 && range.end <= 1000 + 1e-9);
    assert(range.end - range.start >= 10 - 1e-9);
  }
  assert.deepEqual(clampRange({ start: 200, end: 300 }, 1000, 10), { start: 200, end: 300 });
  assert.deepEqual(clampRange({ start: 950, end: 1050 }, 1000, 10), { start: 900, end: 1000 });
  assert.deepEqual(clampRange({ start: 500, end: 500 }, 1000, 10), { start: 495, end: 505 });
});

test('a glide starts and ends where it should and keeps the common point still', () => {
  const [from, to] = [{ start: 0, end: 1000 }, { start: 450, end: 550 }];
  assert.deepEqual(between(from, to, 0), from);
  const last = between(from, to, 1);
  assert(Math.abs(last.start - 450) < 1e-6 && Math.abs(last.end - 550) < 1e-6);
  for (const progress of [0.2, 0.5, 0.9]) {
    const { start, end } = between(from, to, progress);
    assert(Math.abs((start + end) / 2 - 500) < 1e-6);
  }
  const panned = between({ start: 0, end: 10 }, { start: 20, end: 30 }, 0.5);
  assert(Math.abs(panned.start - 10) < 1e-6 && Math.abs(panned.end - 20) < 1e-6);
});

test('a range around a stretch has air on both sides, also around no time at all', () => {
  assert.deepEqual(around(100, 200, 0.5), { start: 50, end: 250 });
  assert.deepEqual(around(100, 100, 0.5), { start: 99, end: 101 });
});

test('time and place are each other’s inverse, and the range fills the plot', () => {
  for (const width of [520, 900, 1300]) {
    const projection = project({ width, height: 400, scroll: 0 }, { start: 250, end: 750 });
    assert.equal(projection.x(250), projection.left);
    assert.equal(Math.round(projection.x(750)), width - 10);
    for (const time of [0, 300, 512.5]) assert(Math.abs(projection.time(projection.x(time)) - time) < 1e-9);
  }
  assert(project({ width: 520, height: 1, scroll: 0 }, { start: 0, end: 1 }).gutter < 110, 'a narrow view has a narrow gutter');
});

test('ticks are round, even, within the range, and about as many as asked for', () => {
  for (const [start, end] of [[0, 463e6], [1.2e9, 1.2003e9], [0, 40e9], [0, 3600e9], [60e9, 900e9], [5, 900], [0, 86400e9 * 3]]) {
    const { ticks, step } = timeTicks(start, end, 9);
    assert(ticks.length >= 3 && ticks.length <= 20, `${ticks.length} ticks from ${start} to ${end}`);
    for (const [i, tick] of ticks.entries()) {
      assert(tick >= start && tick <= end);
      if (i > 0) assert(Math.abs(tick - ticks[i - 1] - step) < step * 1e-6);
      assert(Math.abs(tick / step - Math.round(tick / step)) < 1e-6);
    }
  }
  assert.deepEqual(timeTicks(0, 3600e9, 9).step, 600e9);
});

test('lengths of time have three digits and the unit that suits them', () => {
  const cases = [[0, '0 ns'], [850, '850 ns'], [999.6, '1 µs'], [309e3, '309 µs'], [5.123e6, '5.12 ms'], [21.68e6, '21.7 ms'], [230e6, '230 ms'], [999.7e6, '1 s'],
    [41.02e9, '41 s'], [119e9, '119 s'], [750e9, '12 min 30 s'], [3599.9e9, '1 h 0 min'], [3900e9, '1 h 5 min'], [7199e9, '2 h 0 min']];
  for (const [ns, words] of cases) assert.equal(formatDuration(ns), words);
});

test('moments have as many digits as their step, and share the axis’s unit', () => {
  const cases = [[0, 50e6, 463e6, '0 ms'], [50e6, 50e6, 463e6, '50 ms'], [5e9, 5e9, 41e9, '5 s'], [20.5001e9, 100e3, 20.6e9, '20.5001 s'], [1.25e9, 10e6, 1.3e9, '1.25 s'],
    [250, 50, 900, '250 ns'], [1500, 500, 4000, '1.5 µs'], [600e9, 600e9, 3600e9, '10:00'], [3660e9, 60e9, 4000e9, '1:01:00'], [125.25e9, 250e6, 130e9, '2:05.3'], [125.25e9, 10e6, 130e9, '2:05.25']];
  for (const [ns, step, scale, words] of cases) assert.equal(formatMoment(ns, step, scale), words);
});

const recording = () => makeRecording({
  whats: ['loop work', 'call', 'GET /a', 'query'],
  requests: ['GET /a'],
  rows: [
    { group: 'loop', spans: [[0, 100, 0, 0, 0], [500, 2, 0, 0]] },
    { group: 'inside', spans: [[0, 100, 0, 1]] },
    { group: 'worker', name: 'worker-0', spans: [[100, 300, 3, 1, 0]] },
    { group: 'request', lane: 0, spans: [[0, 100, 0, 3, 0], [150, 250, 8, 3, 0]] },
    { group: 'life', lane: 0, spans: [[0, 420, 0, 2, 0]] },
  ],
});

test('lanes stand one below the other: pinned loop, workers, requests', () => {
  const { lanes, pinnedHeight, height } = layOut(recording());
  assert.deepEqual(lanes.map(({ group }) => group), ['loop', 'inside', 'heading', 'worker', 'heading', 'request']);
  assert.deepEqual(lanes.filter(({ group }) => group === 'heading').map(({ name, note }) => `${name} ${note}`), ['Workers 1 thread', 'Requests 1 at once']);
  for (const [i, lane] of lanes.entries()) if (i > 0) assert(lane.top >= lanes[i - 1].top + lanes[i - 1].height);
  assert(lanes[1].top + lanes[1].height <= pinnedHeight && lanes[2].top >= pinnedHeight);
  assert(height >= lanes.at(-1).top + lanes.at(-1).height);
});

test('lanes of tasks are headed as such, and no number is said of a task', () => {
  const shown = makeRecording({
    rows: [{ group: 'request', spans: [[0, 5, 0, 0, 0]] }, { group: 'life', spans: [[0, 9, 0, 0, 0]] }], requests: ['fetch'], noun: 'task', heading: 'Tasks',
  });
  assert.deepEqual(layOut(shown).lanes.map(({ name, note }) => `${name} ${note}`.trim()), ['Tasks 1 at once', '']);
  assert.equal(shown.requestOf({ row: shown.rows[0], index: 0 }).number, -1);
});

test('there is no lane for the inside of steps where nothing was seen inside', () => {
  const groups = (spans) => layOut(makeRecording({ rows: [{ group: 'loop', spans: [[0, 100, 0]] }, { group: 'inside', spans }] })).lanes.map(({ group }) => group);
  assert.deepEqual(groups([]), ['loop']);
  assert.deepEqual(groups([[0, 100, 0]]), ['loop', 'inside']);
});

test('the name of a blocked stretch stands in its middle, or aside where it hides fewer labels', () => {
  const labels = [[0, 30], [100, 130], [200, 230], [300, 330]];
  const place = (stretches, among = labels) => placeChips(among, stretches);
  assert.deepEqual(place([{ left: 135, right: 195, width: 40 }]), [[145, 185]]);
  assert.deepEqual(place([{ left: 100, right: 230, width: 60 }]), [[135, 195]], 'the middle is free');
  assert.deepEqual(place([{ left: 60, right: 195, width: 60 }]), [[134, 194]], 'beside the label that is in the middle');
  assert.deepEqual(place([{ left: 135, right: 195, width: 61 }]), [null], 'no room');
  assert.deepEqual(place([{ left: 0, right: 30, width: 20 }, { left: 40, right: 90, width: 40 }]), [[5, 25], [45, 85]], 'each its own place');
});

test('names of blocked stretches keep apart and leave at least two labels, whatever there is', () => {
  const next = random(7);
  for (let round = 0; round < 400; round++) {
    const labels = Array.from({ length: Math.floor(next() * 7) }, (_, i) => [i * 90, i * 90 + 25 + Math.floor(next() * 30)]);
    let at = 0;
    const stretches = Array.from({ length: Math.floor(next() * 5) }, () => {
      const left = at + Math.floor(next() * 60);
      at = left + 20 + Math.floor(next() * 300);
      return { left, right: at, width: 40 + Math.floor(next() * 120) };
    });
    const chips = placeChips(labels, stretches);
    const placed = chips.filter((chip) => chip !== null);
    const visible = labels.filter(([from, to]) => placed.every(([left, right]) => to <= left - 4 || from >= right + 4));
    assert(visible.length >= Math.min(2, labels.length), JSON.stringify({ labels, stretches, chips }));
    chips.forEach((chip, i) => assert(chip === null || (chip[0] >= stretches[i].left && chip[1] <= stretches[i].right && chip[1] - chip[0] === stretches[i].width)));
    for (const [i, [left]] of placed.entries()) if (i > 0) assert(left >= placed[i - 1][1]);
  }
});

test('many request lanes are drawn thin, a few with a line for their names', () => {
  const many = (count) => layOut(makeRecording({ rows: Array.from({ length: count }, (_, lane) => ({ group: 'life', lane, spans: [[0, 10, 0]] })) }));
  const tall = (layout) => layout.lanes.at(-1).height;
  assert(tall(many(48)) > 2 * tall(many(49)) - 2);
});

test('thin lanes say in the gutter what their rows are called, and the name of a single request stands for it', () => {
  const many = (count) => makeRecording({
    requests: ['GET /a', 'GET /b'],
    rows: Array.from({ length: count }, (_, lane) => ({
      group: 'life', lane, name: lane === 0 ? 'lane 1' : `GET /${lane}`, spans: lane === 0 ? [[0, 10, 0, 0, 0], [20, 10, 0, 0, 1]] : [[0, 10, 0, 0, 0]],
    })),
  });
  const [thin, roomy] = [layOut(many(49)), layOut(many(48))];
  const names = ({ lanes }) => lanes.filter(({ group }) => group === 'request').map(({ name }) => name).slice(0, 3);
  assert.deepEqual(names(thin), ['lane 1', 'GET /1', 'GET /2']);
  assert.deepEqual(names(roomy), ['', '', ''], 'labels stand above the bars');
  const projection = project({ width: 1000, height: 2000, scroll: 0 }, { start: 0, end: 1000 });
  const under = (layout, place) => {
    const lane = layout.lanes.filter(({ group }) => group === 'request')[place];
    const hit = hitTest(layout, projection, 40, 30 + lane.top + 5);
    return hit && `${hit.span.row.name} ${hit.span.index}`;
  };
  assert.equal(under(thin, 1), 'GET /1 0');
  assert.equal(under(thin, 0), null, 'a number stands for no request');
  assert.equal(under(roomy, 1), null, 'where there is no name, there is nothing to point at');
});

test('a bar does not repeat the name of its lane but says what it was seen in', () => {
  assert.equal(wordsOn({ name: 'GET /report' }, { label: 'GET /report', call: 'time.sleep(0.2)' }), 'time.sleep(0.2)');
  assert.equal(wordsOn({ name: 'GET /report' }, { label: 'GET /report', call: '' }), '');
  assert.equal(wordsOn({ name: 'GET /report' }, { label: 'fetch', call: '' }), 'fetch');
  assert.equal(wordsOn({ name: 'lane 3' }, { label: 'GET /report', call: 'time.sleep(0.2)' }), 'GET /report');
});

test('what lies under a point is what is drawn there', () => {
  const layout = layOut(recording());
  const projection = project({ width: 1000, height: 500, scroll: 0 }, { start: 0, end: 1000 });
  const at = (group, time, below = null) => {
    const lane = layout.lanes.find((each) => each.group === group);
    const hit = hitTest(layout, projection, projection.x(time), 30 + lane.top + (below ?? lane.barTop + lane.barHeight / 2));
    return hit && `${hit.span.row.group} ${hit.span.index}`;
  };
  assert.equal(at('loop', 50), 'loop 0');
  assert.equal(at('loop', 503), 'loop 1', 'three pixels of slack find a span that is hard to hit');
  assert.equal(at('loop', 520), null);
  assert.equal(at('inside', 50), 'inside 0');
  assert.equal(at('worker', 200), 'worker 0');
  assert.equal(at('request', 200), 'request 1');
  assert.equal(at('request', 125), 'life 0', 'between its spans, the request itself');
  assert.equal(at('request', 50, 3), 'life 0', 'on the line of its label, the request itself');
  assert.equal(at('request', 600), null);
  assert.equal(at('heading', 200), null);
  assert.equal(hitTest(layout, projection, 20, 60), null, 'nothing lies in the gutter');
  assert.equal(hitTest(layout, projection, 500, 10), null, 'nothing lies on the axis');
});

test('a scrolled lane is found where it is seen, and the pinned ones lie over it', () => {
  const layout = layOut(recording());
  const projection = project({ width: 1000, height: 300, scroll: 60 }, { start: 0, end: 1000 });
  const lane = layout.lanes.find(({ group }) => group === 'request');
  const y = 30 + lane.top - 60 + lane.barTop + 5;
  assert.equal(hitTest(layout, projection, projection.x(200), y).span.row.group, 'request');
  assert.equal(hitTest(layout, projection, projection.x(50), 30 + layout.lanes[0].top + 5).span.row.group, 'loop');
});

test('a hit counts the spans that share its pixel', () => {
  const spans = Array.from({ length: 1000 }, (_, i) => [i, 1, 0]);
  const crowded = makeRecording({ rows: [{ group: 'loop', spans }] });
  const layout = layOut(crowded);
  const projection = project({ width: 282, height: 200, scroll: 0 }, { start: 0, end: 1000 });
  const hit = hitTest(layout, projection, projection.x(500), 45);
  const perPixel = 1 / projection.scale;
  assert(Math.abs(hit.sharing - perPixel) <= 2, `${hit.sharing} spans, ${perPixel} expected`);
});

test('the minimap is grabbed at its edges, moved in its middle, and marked elsewhere', () => {
  assert.equal(gripAt(103, 100, 200, false), 'start');
  assert.equal(gripAt(197, 100, 200, false), 'end');
  assert.equal(gripAt(150, 100, 200, false), 'move');
  assert.equal(gripAt(300, 100, 200, false), 'new');
  assert.equal(gripAt(150, 0, 1000, true), 'new');
  const range = { start: 100, end: 200 };
  assert.deepEqual(dragged('start', range, 100, 250), { start: 200, end: 250 }, 'an edge may be pulled past the other');
  assert.deepEqual(dragged('end', range, 200, 300), { start: 100, end: 300 });
  assert.deepEqual(dragged('move', range, 150, 130), { start: 80, end: 180 });
  assert.deepEqual(dragged('new', range, 700, 400), { start: 400, end: 700 });
  assert.deepEqual(centred(range, 500), { start: 450, end: 550 });
});

test('a notch of any wheel zooms by less than an octave', () => {
  assert(Math.abs(wheelOctaves({ deltaY: -100, deltaMode: 0 }) - 0.4) < 1e-9);
  assert.equal(wheelOctaves({ deltaY: 1e4, deltaMode: 0 }), -0.6);
  assert(Math.abs(wheelOctaves({ deltaY: -3, deltaMode: 1 }) - 0.15) < 1e-9);
});
