// The kinds of span, in the order of their numbers on the wire: what each is called in code and how it is shaped.
// Shape comes first and colour second: a full bar runs, a hatched half bar would run if it could, a thin line waits.
// The colours are the theme's; the words that a reader sees are those of playground/views/kinds.py and come in the packet.

/** @typedef {'full' | 'half' | 'thin'} Shape */
/** @typedef {{ name: string, shape: Shape }} Kind */

/** @type {readonly Kind[]} */
export const KINDS = [
  { name: 'run', shape: 'full' },
  { name: 'frame', shape: 'full' },
  { name: 'other', shape: 'full' },
  { name: 'thread', shape: 'full' },
  { name: 'ready', shape: 'half' },
  { name: 'timer', shape: 'thin' },
  { name: 'io', shape: 'thin' },
  { name: 'lock', shape: 'thin' },
  { name: 'offload', shape: 'thin' },
  { name: 'blocked', shape: 'full' },
  { name: 'future', shape: 'thin' },
  { name: 'gil', shape: 'half' },
  { name: 'preempt', shape: 'half' },
  { name: 'off', shape: 'half' },
];

export const READY = 4;
export const BLOCKED = 9;
export const FUTURE = 10;

// The legend tells what runs before what waits.
export const LEGEND_ORDER = [0, 1, 2, 3, 9, 4, 11, 12, 13, 6, 5, 7, 8, 10];

// Scanlines of a lane's strip, painted from the bottom up.
/** @type {Record<Shape, number>} */
export const LAYER = { thin: 0, half: 1, full: 2 };

// A bar's height by shape, as shares of the lane's: the half bar is visibly not a full one, the thin line visibly no bar.
/** @type {Record<Shape, number>} */
export const SHARE = { thin: 0.28, half: 0.6, full: 1 };
