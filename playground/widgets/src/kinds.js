// The kinds of span, in the order of their numbers on the wire: how each is shaped, named and spoken.
// Shape comes first and colour second: a full bar runs, a hatched half bar is ready and queued, a thin line waits.
// The colours are the theme's.

/** @typedef {'full' | 'half' | 'thin'} Shape */
/** @typedef {{ name: string, shape: Shape, words: string, legend: string }} Kind */

/** @type {readonly Kind[]} */
export const KINDS = [
  { name: 'run', shape: 'full', words: 'running handler', legend: 'handler' },
  { name: 'frame', shape: 'full', words: 'running middleware or routing', legend: 'middleware, routing' },
  { name: 'other', shape: 'full', words: 'running another callback', legend: 'other callback' },
  { name: 'thread', shape: 'full', words: 'running in a worker thread', legend: 'worker thread' },
  { name: 'ready', shape: 'half', words: 'ready, queued for the loop', legend: 'ready, queued' },
  { name: 'timer', shape: 'thin', words: 'waiting for a timer', legend: 'waits: timer' },
  { name: 'io', shape: 'thin', words: 'waiting for I/O', legend: 'waits: I/O' },
  { name: 'lock', shape: 'thin', words: 'waiting for a lock, queue or event', legend: 'waits: lock, queue' },
  { name: 'offload', shape: 'thin', words: 'waiting for a thread', legend: 'waits: thread' },
  { name: 'blocked', shape: 'full', words: 'blocking the loop', legend: 'blocks the loop' },
  { name: 'future', shape: 'thin', words: 'waiting for a task or future', legend: 'waits: task, future' },
];

export const READY = 4;
export const BLOCKED = 9;
export const FUTURE = 10;

// The legend tells what runs before what waits.
export const LEGEND_ORDER = [0, 1, 2, 3, 9, 4, 6, 5, 7, 8, 10];

// Scanlines of a lane's strip, painted from the bottom up.
/** @type {Record<Shape, number>} */
export const LAYER = { thin: 0, half: 1, full: 2 };

// A bar's height by shape, as shares of the lane's: the half bar is visibly not a full one, the thin line visibly no bar.
/** @type {Record<Shape, number>} */
export const SHARE = { thin: 0.28, half: 0.6, full: 1 };
