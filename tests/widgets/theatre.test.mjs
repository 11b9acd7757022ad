// The loop theatre's pure parts: what stands on the stage, against what Python finds the slow way; and what runs next.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { random, timeline } from './helpers.mjs';

const { choicesAt, lowTree, makePlay, unpack, verdict } = timeline;
const folder = process.env.PLAYGROUND_TEST_PACKETS;
const expected = JSON.parse(readFileSync(join(folder, 'theatre.json'), 'utf8'));
const plays = await Promise.all(expected.map(async (_, i) => makePlay(await unpack(readFileSync(join(folder, `theatre-${i}.bin`))))));
const MANY = 10000;

const textOf = (parts) => parts.map(([, text]) => text).join('');
const namesOf = (group) => group.cards.map(({ label, tag }) => `${label} ${tag}`.trim());
const forEachPlace = (check) => plays.forEach((play, i) => expected[i].forEach((place, at) => check(play, at, place, i)));

test('the numbers found are all that are small enough, in order and backwards', () => {
  for (const length of [0, 1, 2, 3, 7, 8, 9, 100, 1000]) {
    const next = random(length + 1);
    const values = Array.from({ length }, () => Math.floor(next() * 20));
    const below = lowTree(values);
    for (let round = 0; round < 50; round++) {
      const [limit, start, end, most] = [Math.floor(next() * 22) - 1, Math.floor(next() * (length + 2)), Math.floor(next() * (length + 2)), Math.floor(next() * 12)];
      const all = values.map((_, i) => i).filter((i) => i >= start && i < end && values[i] <= limit);
      assert.deepEqual(below(limit, start, end, most), all.slice(0, most));
      assert.deepEqual(below(limit, start, end, most, true), all.reverse().slice(0, most));
    }
  }
});

test('to find a few of very many takes few looks', () => {
  const size = 2 ** 17;
  const below = lowTree(Float64Array.from({ length: size }, (_, i) => i % 1000));
  let looks = 0;
  const limit = { valueOf: () => ++looks && 0 };  // asked once for each node that is visited
  assert.deepEqual(below(limit, size / 2, size, 8), Array.from({ length: 8 }, (_, i) => Math.ceil(size / 2 / 1000) * 1000 + 1000 * i));
  assert.ok(looks < 8 * 2 * 18, `${looks} looks`);
});

test('at each place stands who Python finds there, in its order, and all are counted', () => {
  forEachPlace((play, place, { running, ready, waiting, busy, done }) => {
    const [queue, now, waits, workers, ended] = play.state(place, MANY);
    assert.deepEqual([namesOf(now), namesOf(queue), namesOf(waits), namesOf(ended)], [running, ready, waiting, done]);
    assert.deepEqual([queue.count, waits.count, workers.count, ended.count], [ready.length, waiting.length, busy.length, done.length]);
    assert.deepEqual(workers.cards.flatMap(({ kind }, thread) => (kind === 3 ? [thread] : [])), busy);
  });
});

test('of many only so many cards are shown, the first of them, and the rest is counted', () => {
  forEachPlace((play, place, { ready, waiting, busy }) => {
    const [queue, , waits, workers] = play.state(place, 4);
    assert.deepEqual([namesOf(queue), namesOf(waits)], [ready.slice(0, 4), waiting.slice(0, 3)]);
    assert.equal(workers.cards.length + Math.max(0, workers.more), play.header.threads.length);
    assert.equal(workers.cards.filter(({ kind }) => kind === 3).length, Math.min(4, busy.length));  // busy ones first
  });
});

test('a card has a key of its own', () => {
  forEachPlace((play, place) => {
    const keys = play.state(place, MANY).slice(0, 4).flatMap(({ cards }) => cards.map(({ key }) => key));
    assert.equal(new Set(keys).size, keys.length);
  });
});

test('going on and then back gives the same, and so does going anywhere', () => {
  plays.forEach((play, i) => {
    const seen = expected[i].map((_, place) => JSON.stringify([play.state(place, 7), play.sentence(place)]));
    const next = random(i + 1);
    let place = 0;
    for (let round = 0; round < 300; round++) {
      place = next() < 0.8 ? Math.max(0, Math.min(play.steps, place + (next() < 0.5 ? 1 : -1))) : Math.floor(next() * (play.steps + 1));
      assert.equal(JSON.stringify([play.state(place, 7), play.sentence(place)]), seen[place]);
    }
  });
});

test('a sentence reads as Python writes it', () => {
  forEachPlace((play, place, { sentence }, i) => {
    assert.equal(textOf(play.sentence(place)), i === plays.length - 1 ? 'The recording is over.' : sentence);
  });
});

test('who guesses is told nothing of what comes later', () => {
  forEachPlace((play, place) => {
    const [, , waits] = play.state(place, MANY, true);
    assert.ok(waits.cards.every(({ note, share }) => share === 0 && !note.includes(' of ')));
    const words = textOf(play.sentence(place, true));
    assert.doesNotMatch(words, /no step runs for|not over when|\((timer|I\/O|lock|queue|event|worker thread|task|future),/);
  });
});

test('one choice is right, and it is the one that the recording names', () => {
  forEachPlace((play, place, { ready, next }, i) => {
    if (place + 1 >= play.steps) return;
    const choices = choicesAt(play, place);
    const right = choices.filter((choice) => choice.right);
    assert.equal(right.length, 1);
    assert.ok(choices.length <= 9);
    assert.equal(new Set(choices.map(({ words, where }) => words + where)).size, choices.length);
    const [{ where, words }] = right;
    if (next) assert.deepEqual([where, words], ['queued', ready[0]]);
    else if (where !== 'none') assert.equal(words, expected[i][place + 1].running[0]);
  });
});

test('a choice says nothing of what is right by its place', () => {
  const places = new Set();
  forEachPlace((play, place) => {
    if (place + 1 < play.steps) places.add(choicesAt(play, place).findIndex(({ right }) => right));
  });
  assert.ok(places.size > 2, [...places].join());
});

test('the verdict says why, from the recording', () => {
  const play = plays[4];  // who runs again and again, beside very many who wait
  const choices = choicesAt(play, 250);
  const [again, other, none] = [(choice) => choice.words.startsWith('waiter_200'), (choice) => choice.where === 'waiting', (choice) => choice.where === 'none'].map((is) => choices.find(is));
  assert.equal(verdict(play, 250, again), 'Right: it was first in the ready queue.');
  assert.equal(verdict(play, 250, other), `Not so. Next is ${play.called(play.columns.actor[251])}: it was first in the ready queue. ${other.words} still waits.`);
  assert.equal(verdict(play, 250, none), `Not so. Next is ${play.called(play.columns.actor[251])}: it was first in the ready queue.`);
});

test('an empty recording has one place, and nothing to guess', () => {
  const play = plays.at(-1);
  assert.deepEqual(play.state(0, 7).map(({ count }) => count), [0, 0, 0, 0, 0]);
  assert.equal(play.steps, 0);
  assert.equal(play.source(0), undefined);
});
