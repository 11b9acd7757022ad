// Stands in for d3-format in the bundle: `format.js` writes every number here, and no scale is asked for its
// `tickFormat`, which is all that d3-scale needs the real one for. See `alias` in build.mjs.

export {
  notHere as format, notHere as formatPrefix, notHere as formatSpecifier,
  notHere as precisionFixed, notHere as precisionPrefix, notHere as precisionRound,
} from './not-here.js';
