// The wire, read back as Python wrote it: test_node.py leaves a packet and what is in it beside each other.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { random, timeline } from './helpers.mjs';

const { Recording, unpack, unshuffle } = timeline;

const folder = process.env.PLAYGROUND_TEST_PACKETS;
assert(folder, 'expected PLAYGROUND_TEST_PACKETS to name the folder that test_node.py fills: run these tests by pytest');
const read = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
const expected = JSON.parse(readFileSync(`${folder}/columns.json`, 'utf8'));

test('every column type comes back as Python wrote it', async () => {
  const { header, columns } = await unpack(read('columns.bin'));
  assert.deepEqual(header, expected.header);
  const found = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, Array.from(column, String)]));
  assert.deepEqual(found, expected.columns);
});

test('a packet of the timeline becomes a recording', async () => {
  const recording = new Recording(await unpack(read('timeline.bin')));
  assert.equal(recording.title, expected.title);
  assert.equal(recording.requests.length, expected.requests);
  assert.equal(recording.loop.length, expected.steps);
  assert.equal(recording.requestsAtOnce, expected.max_overlap);
  const found = recording.rows.map((row) => [Array.from(row.start), Array.from(row.start, (_, i) => row.end(i)), Array.from(row.request)]);
  assert.deepEqual(found, expected.rows);
  const told = recording.requests.map(({ number, label, path, status, error, failure }) => [number, label, path, status, error, failure]);
  assert.deepEqual(told, expected.facts);
  for (const row of recording.rows) {
    for (let i = 1; i < row.length; i++) assert(row.end(i - 1) <= row.start[i], `${row.group} ${row.lane}: spans ${i - 1} and ${i} overlap`);
  }
});

test('a packet that stands inside a larger buffer is read from where it stands', async () => {
  const packet = read('columns.bin');
  const larger = new Uint8Array(packet.length + 7);
  larger.set(packet, 5);
  const { header } = await unpack(larger.subarray(5, 5 + packet.length));
  assert.deepEqual(header, expected.header);
});

test('unshuffling undoes the shuffle, for every width', () => {
  const next = random(7);
  for (const width of [1, 2, 4, 8]) {
    const values = Uint8Array.from({ length: width * 33 }, () => next() * 256);
    const shuffled = Uint8Array.from(values.keys(), (at) => values[(at % 33) * width + Math.floor(at / 33)]);
    assert.deepEqual(new Uint8Array(unshuffle(shuffled, width)), values);
  }
});

const next = 'update playground, or reload the page if it was updated';

test('foreign, newer, cut and damaged packets are refused in words', async () => {
  const packet = read('columns.bin');
  const changed = (at, value) => Uint8Array.from(packet, (byte, i) => (i === at ? value : byte));
  await assert.rejects(unpack(new TextEncoder().encode('hello, world')), { message: `expected a recording that begins with PLAYTRC, found "hello, ": ${next}` });
  await assert.rejects(unpack(changed(7, 9)), { message: `expected a recording of format version 1, found version 9: ${next}` });
  await assert.rejects(unpack(packet.slice(0, 10)), { message: `expected at least 12 bytes, found 10: ${next}` });
  await assert.rejects(unpack(packet.slice(0, 20)), { message: new RegExp(`^expected \\d+ bytes up to the end of the header, found 20: ${next}$`) });
  await assert.rejects(unpack(packet.slice(0, -9)), { message: `expected a zlib stream as body, found one that is cut short or damaged: ${next}` });
});

test('a packet of another view is refused in words', async () => {
  const packet = await unpack(read('columns.bin'));
  assert.throws(() => new Recording(packet), { message: 'expected a packet of the view "timeline", found "test": restart the kernel if playground was updated' });
});
