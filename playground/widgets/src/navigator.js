// Which stretch of time is shown. d3-zoom owns the gestures on the canvas (drag, Ctrl+wheel, pinch) and the transform;
// this translates the transform to a range of ticks and back, keeps it within the run, and glides from one to the next.

import { scaleLinear } from 'd3-scale';
import { select } from 'd3-selection';
import { zoom, zoomIdentity } from 'd3-zoom';
import { between, clampRange, plotEdges } from './geometry.js';

/** @typedef {import('./geometry.js').Range} Range */

const GLIDE_MS = 180;  // long enough to see where one goes, short enough not to be waited for
const NARROWEST_NS = 200;  // five digits of zoom beyond what the clock tells apart would show nothing new
const WHEEL_LIMIT = 0.6;  // octaves a notch, so that a mouse's coarse notches do not jump

export class Navigator {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ duration: number, tickNs: number }} recording
   * @param {(range: Range, byHand: boolean) => void} onChange
   */
  constructor(canvas, { duration, tickNs }, onChange) {
    this.duration = duration;
    this.narrowest = Math.min(duration, Math.max(2, NARROWEST_NS / tickNs));
    this.base = scaleLinear([0, duration], [0, 1]);
    /** @type {Range} */
    this.current = { start: 0, end: duration };
    this.byHand = true;
    this.glide = 0;
    this.selection = select(canvas);
    this.zoom = /** @type {import('d3-zoom').ZoomBehavior<HTMLCanvasElement, unknown>} */ (zoom())
      .filter((event) => (event.type === 'wheel' ? event.ctrlKey || event.metaKey : !event.button && !event.ctrlKey))
      .wheelDelta(wheelOctaves)
      .scaleExtent([1, duration / this.narrowest])
      .on('zoom', (event) => {
        if (event.sourceEvent !== null) this.stopGlide();
        this.current = this.rangeOf(event.transform);
        onChange(this.current, this.byHand);
      });
    this.selection.call(this.zoom).on('dblclick.zoom', null);
  }

  range() {
    return this.current;
  }

  /** The run has become longer; what is shown stays. @param {{ duration: number, tickNs: number }} recording */
  grow({ duration, tickNs }) {
    this.duration = duration;
    this.narrowest = Math.min(duration, Math.max(2, NARROWEST_NS / tickNs));
    const [left, right] = this.base.range();
    const outgrown = duration > this.base.domain()[1];
    if (outgrown) this.base.domain([0, 2 * duration]);  // not each time, for a drag under way relies on it
    const whole = this.base.domain()[1] / duration;
    this.zoom.scaleExtent([whole, (whole * duration) / this.narrowest]);
    this.zoom.translateExtent([[left, -Infinity], [left + (right - left) / whole, Infinity]]);
    if (outgrown) this.stay();
  }

  /** Fit the same range into another width. @param {number} width @param {number} height */
  resize(width, height) {
    const [left, right] = plotEdges(width);
    this.base.range([left, right]);
    this.zoom.extent([[left, 0], [right, height]]).translateExtent([[left, -Infinity], [left + ((right - left) * this.duration) / this.base.domain()[1], Infinity]]);
    this.stay();
  }

  /** Show the same range, which is no deed of the reader's. */
  stay() {
    const { byHand } = this;
    this.byHand = false;
    this.apply(this.current);
    this.byHand = byHand;
  }

  /**
   * @param {Range} range
   * @param {{ glide?: boolean, byHand?: boolean }} [how] glide there, unless the reader prefers no motion
   */
  show(range, { glide = false, byHand = true } = {}) {
    this.stopGlide();
    const target = clampRange(range, this.duration, this.narrowest);
    this.byHand = byHand;
    if (glide && !matchMedia('(prefers-reduced-motion: reduce)').matches) this.glideTo(target);
    else this.apply(target);
    if (this.glide === 0) this.byHand = true;
  }

  fit() {
    this.show({ start: 0, end: this.duration }, { glide: true });
  }

  /** Zoom about the middle. @param {number} factor above 1 shows less, in more detail */
  zoomBy(factor) {
    const { start, end } = this.current;
    const [middle, half] = [(start + end) / 2, (end - start) / 2 / factor];
    this.show({ start: middle - half, end: middle + half }, { glide: true });
  }

  /** @param {number} share of the visible stretch */
  panBy(share) {
    const { start, end } = this.current;
    const shift = (end - start) * share;
    this.show({ start: start + shift, end: end + shift });
  }

  /** @param {import('d3-zoom').ZoomTransform} transform @returns {Range} */
  rangeOf(transform) {
    const [left, right] = this.base.range();
    const [start, end] = [left, right].map((x) => this.base.invert(transform.invertX(x)));
    return clampRange({ start, end }, this.duration, this.narrowest);
  }

  /** @param {Range} range */
  apply({ start, end }) {
    const [left, right] = this.base.range();
    if (right - left < 2) return;  // not laid out yet
    const k = (right - left) / (this.base(end) - this.base(start));
    this.selection.call(this.zoom.transform, zoomIdentity.translate(left - this.base(start) * k, 0).scale(k));
  }

  /** @param {Range} target */
  glideTo(target) {
    const from = this.current;
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const progress = Math.min(1, Math.max(0, (now - began) / GLIDE_MS));
      this.glide = progress < 1 ? requestAnimationFrame(step) : 0;
      this.apply(progress < 1 ? between(from, target, 1 - (1 - progress) ** 3) : target);
      if (progress === 1) this.byHand = true;
    };
    this.glide = requestAnimationFrame(step);
  }

  stopGlide() {
    cancelAnimationFrame(this.glide);
    this.glide = 0;
    this.byHand = true;
  }

  destroy() {
    this.stopGlide();
    this.zoom.on('zoom', null);
    this.selection.on('.zoom', null);
    select(window).on('.zoom', null).on('.drag', null);  // what d3-zoom and d3-drag leave there during a drag
  }
}

/**
 * How far a wheel event zooms, in powers of two.
 * @param {{ deltaY: number, deltaMode: number }} event
 */
export function wheelOctaves({ deltaY, deltaMode }) {
  const octaves = -deltaY * (deltaMode === 1 ? 0.05 : deltaMode === 2 ? 1 : 0.004);
  return Math.max(-WHEEL_LIMIT, Math.min(WHEEL_LIMIT, octaves));
}
