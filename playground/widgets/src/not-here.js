// Stands in for every part of d3 that the bundle was told nobody asks for: no-formats.js, only-numbers.js and
// `NEVER_CALLED` in build.mjs name them. If one is asked for after all, it says so rather than do nothing.

export function notHere() {
  throw new Error('expected only what is kept of d3, found a call of another part: it is not in the bundle, see build.mjs');
}
