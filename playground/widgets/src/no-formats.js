// Stands in for d3-format in the bundle: `format.js` writes every number here, and no scale is asked for its
// `tickFormat`, which is all that d3-scale needs the real one for. See `alias` in build.mjs.

function notHere() {
  throw new Error('expected numbers to be written by format.js, found a call of d3-format: it is not in the bundle');
}

export {
  notHere as format, notHere as formatPrefix, notHere as formatSpecifier,
  notHere as precisionFixed, notHere as precisionPrefix, notHere as precisionRound,
};
