// What stands behind the spans, as playground/views/details.py writes it: who woke a step and how it ended, whose it is,
// what became of a hand-off, which messages a request exchanged. One pass over the stream, when somebody first asks.
// It knows numbers and texts; the sentences are `panel`'s. Of what was not told it says `null`.

import { firstReached } from './rows.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */
/** @typedef {{ endings: string[], causes: string[], outcomes: string[] }} Words */
/** @typedef {{ direction: string, type: string, detail: string, at_ns: number }} Message */
/** @typedef {{ outcome: number, queued_ns: number, submitted_ns: number, woken_ns: number | null, cpu_ns: number, task: number | null }} Handoff */
/** @typedef {{ name: string, coroutine: string }} Task */

const LAST_CAUSE = 3;  // greater numbers tell a waker

export class Details {
  /** @param {Recording} recording @param {{ words: Words, stream: Uint8Array, texts: Uint8Array }} told */
  constructor(recording, { words, stream, texts }) {
    this.recording = recording;
    this.words = words;
    /** Whether nothing is told yet, as while a run is going on. */
    this.isEmpty = stream.length === 0;
    const next = reader(stream);
    const [strings, kinds] = texts.length === 0 ? [[], []] : JSON.parse(new TextDecoder().decode(texts));
    const steps = next();
    this.first = new Uint32Array(steps + 1);  // the first span of each step, and where the last one's end
    this.ending = new Uint8Array(steps);
    this.cause = new Uint8Array(steps);
    this.waker = new Int32Array(steps);
    this.task = new Int32Array(steps);
    /** @type {number[][]} the steps of each task */
    this.turns = [];
    this.readSteps(next);
    let number = 0;
    /** @type {Task[]} */
    this.tasks = list(next, () => {
      const [stem, digits, coroutine] = [next(), next(), next()];
      number += digits === 0 ? 0 : signed(digits - 1);
      return { name: strings[stem] + (digits === 0 ? '' : number), coroutine: strings[coroutine] };
    });
    /** @type {Map<import('./rows.js').Row, (Handoff | null)[]>} */
    this.handoffs = new Map();
    const workers = recording.rows.filter(({ group }) => group === 'worker');
    list(next, (worker) => this.handoffs.set(workers[worker], list(next, (index) => this.readHandoff(next, workers[worker], index))));
    this.requests = this.readRequests(next, kinds);
  }

  /** @param {() => number} next */
  readSteps(next) {
    const { first, ending, task, turns } = this;
    for (let step = 0; step < ending.length; step++) {
      const [head, ago, woken] = [next(), next(), next()];
      first[step + 1] = first[step] + (head >> 4);
      ending[step] = head & 15;
      task[step] = ago === 0 ? -1 : ago === 1 ? turns.push([]) - 1 : task[step - ago + 1];
      if (ago > 0) turns[task[step]].push(step);
      this.cause[step] = woken > LAST_CAUSE ? 0 : woken;
      this.waker[step] = woken > LAST_CAUSE ? step - woken + LAST_CAUSE : -1;
    }
  }

  /** @param {() => number} next @param {import('./rows.js').Row} row @param {number} index @returns {Handoff | null} */
  readHandoff(next, row, index) {
    const outcome = next() - 1;
    if (outcome < 0) return null;
    const { recording } = this;
    const [queued_ns, before, after, cpu_ns, task] = [next(), next(), next(), next(), next() - 1];
    return {
      outcome, queued_ns, cpu_ns, task: task < 0 ? null : task, submitted_ns: recording.ns(row.start[index]) - before,
      woken_ns: after === 0 ? null : recording.ns(row.end(index)) + after - 1,
    };
  }

  /** @param {() => number} next @param {string[][]} kinds @returns {{ task: number | null, messages: Message[] }[]} */
  readRequests(next, kinds) {
    const starts = startsOf(this.recording);
    let task = -1;
    const tasks = list(next, () => (task += signed(next())));
    const words = tasks.map(next).map((length) => Array.from({ length }, () => kinds[next()]));
    return tasks.map((its, index) => {
      let at_ns = starts[index];
      const messages = words[index].map(([direction, type, detail]) => ({ direction, type, detail, at_ns: (at_ns += next()) }));
      return { task: its < 0 ? null : its, messages };
    });
  }

  /** The step that a span of the loop's row belongs to; -1 if it is not told of. @param {number} span */
  stepOf(span) {
    if (span >= this.first[this.first.length - 1]) return -1;
    return firstReached(1, this.ending.length, (step) => this.first[step] > span) - 1;
  }

  /** @param {number} step @returns {Span} its first span */
  spanOf(step) {
    return { row: /** @type {import('./rows.js').Row} */ (this.recording.loop), index: this.first[step] };
  }

  /** When a step began, in ticks. @param {number} step */
  start(step) {
    return this.spanOf(step).row.start[this.first[step]];
  }

  /** When a step ended, in ticks. @param {number} step */
  end(step) {
    return this.spanOf(step).row.end(this.first[step + 1] - 1);
  }

  /**
   * The first step of a task that begins at a moment or later; -1 if there is none.
   * @param {number} task
   * @param {number} time in ticks
   * @param {number} [after] the ending of its step before, if that matters
   */
  stepFrom(task, time, after) {
    return this.turns[task]?.find((step) => this.start(step) >= time && (after === undefined || this.ending[this.neighbour(step, -1)] === after)) ?? -1;
  }

  /** A step of the same task, so many turns away; -1 if there is none. @param {number} step @param {number} turns */
  neighbour(step, turns) {
    const its = this.turns[this.task[step]];
    return its?.[its.indexOf(step) + turns] ?? -1;
  }
}

/** Reads numbers of seven bits a byte, the lowest first; 0 beyond the end. @param {Uint8Array} bytes */
function reader(bytes) {
  let at = 0;
  return () => {
    let [value, place] = [0, 1];
    for (; bytes[at] > 0x7f; place *= 128) value += (bytes[at++] & 0x7f) * place;
    return value + (bytes[at++] ?? 0) * place;
  };
}

/** How far up, or down, a number tells to go. @param {number} told */
function signed(told) {
  return told % 2 === 0 ? told / 2 : -(told + 1) / 2;
}

/** @template T @param {() => number} next @param {(index: number) => T} read @returns {T[]} */
function list(next, read) {
  return Array.from({ length: next() }, (_, index) => read(index));
}

/** When each request began, in nanoseconds. @param {Recording} recording */
function startsOf(recording) {
  const starts = new Float64Array(recording.requests.length);
  for (const { group, request, start } of recording.rows) if (group === 'life') request.forEach((number, i) => (starts[number] = recording.ns(start[i])));
  return starts;
}
