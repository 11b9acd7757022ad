// Stands in for d3-transition in the bundle. d3-zoom imports it to stop a running transition before it moves, but
// nothing here ever starts one (the navigator glides by itself); the real one, with d3-timer, d3-ease and its half of
// d3-interpolate, would be a quarter of the bundle. See `alias` in build.mjs.

import { selection } from 'd3-selection';

Object.assign(selection.prototype, {
  /** @this {unknown} */
  interrupt() {
    return this;
  },
});

export function interrupt() {}
