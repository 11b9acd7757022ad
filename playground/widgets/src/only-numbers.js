// Stands in for d3-interpolate in the bundle. d3-scale asks it what kind of value a scale gives, and so would bring
// d3-color and every interpolator along; ours give numbers. d3-zoom asks it for a path between two views, which only
// a transition follows, and there are none (see no-transitions.js). See `alias` in build.mjs.

/** @param {number} from @param {number} to @returns {(t: number) => number} exact at both ends */
export function interpolateNumber(from, to) {
  return (t) => from * (1 - t) + to * t;
}

/** @param {number} from @param {number} to @returns {(t: number) => number} */
function interpolateRound(from, to) {
  return (t) => Math.round(from * (1 - t) + to * t);
}

export { interpolateNumber as interpolate, interpolateRound };
export { notHere as interpolateZoom, notHere as piecewise } from './not-here.js';
