// The whole run in one line: how busy the loop was, where it was blocked, and the window that the lanes show.
// A drag on it moves the window, pulls its edges or marks a new one; a click centres it.

import { CLICK, centred, dragged, gripAt } from './brush.js';
import { contextOf, fillRounded, resizeCanvas, setFont } from './canvas.js';
import { plotEdges } from './geometry.js';
import { BLOCKED } from './kinds.js';
import { Occupancy, collect } from './raster.js';

/** @typedef {import('./geometry.js').Range} Range */
/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./theme.js').Theme} Theme */

const MINIMAP_HEIGHT = 46;
const BASE = MINIMAP_HEIGHT - 8;
const TOP = 8;
const SMOOTH = 2;  // pixels on each side over which the curve is averaged, so that single steps do not make a comb

export class Minimap {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Recording} recording
   * @param {{ range: () => Range, show: (range: Range) => void }} navigator
   * @param {AbortSignal} signal
   */
  constructor(canvas, recording, navigator, signal) {
    this.canvas = canvas;
    this.context = contextOf(canvas);
    this.recording = recording;
    this.picture = document.createElement('canvas');
    /** @type {import('./recording.js').Span[]} what a search found */
    this.found = [];
    /** @type {Set<number>} where that is, in pixels */
    this.foundAt = new Set();
    this.width = 0;
    this.ratio = 1;
    this.listen(navigator, signal);
  }

  /** @param {number} width @param {number} ratio @param {Theme} theme */
  resize(width, ratio, theme) {
    this.width = width;
    this.ratio = ratio;
    this.theme = theme;
    this.placeMarks();
    resizeCanvas(this.canvas, width, MINIMAP_HEIGHT, ratio);
    resizeCanvas(this.picture, width, MINIMAP_HEIGHT, ratio);
    const context = contextOf(this.picture);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintRun(context, theme);
  }

  /** @param {number} time */
  x(time) {
    const [left, right] = plotEdges(this.width);
    return left + (time / this.recording.duration) * (right - left);
  }

  /** Mark the moments of what a search found. @param {import('./recording.js').Span[]} found in order */
  mark(found) {
    this.found = found;
    this.placeMarks();
  }

  /** One mark a pixel, whatever lies there. */
  placeMarks() {
    this.foundAt = new Set(this.found.map(({ row, index }) => Math.round(this.x(row.start[index]))));
  }

  /** @param {number} x */
  time(x) {
    const [left, right] = plotEdges(this.width);
    return Math.min(1, Math.max(0, (x - left) / (right - left))) * this.recording.duration;
  }

  /** @param {CanvasRenderingContext2D} context @param {Theme} theme */
  paintRun(context, theme) {
    const [left, right] = plotEdges(this.width);
    context.fillStyle = theme.ui.panel;
    context.fillRect(0, 0, this.width, MINIMAP_HEIGHT);
    const { busy, blocked } = loopLoad(this.recording, Math.round(right - left));
    context.fillStyle = theme.kinds[1];
    context.globalAlpha = theme.dark ? 0.9 : 0.75;
    context.beginPath();
    context.moveTo(left, BASE);
    smooth(busy).forEach((share, i) => context.lineTo(left + i + 0.5, BASE - Math.min(1, share) * (BASE - TOP)));
    context.lineTo(right, BASE);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = theme.kinds[BLOCKED];
    blocked.forEach((share, i) => share > 0.02 && context.fillRect(left + i, TOP, 1, BASE - TOP + 3));
    context.fillStyle = theme.ui.line;
    context.fillRect(left, BASE, right - left, 1);
    setFont(context, 400, 11);
    context.textBaseline = 'middle';
    context.fillStyle = theme.ui.faint;
    context.fillText(left > 140 ? 'loop busy, whole run' : 'loop busy', 14, MINIMAP_HEIGHT / 2);
  }

  /** @param {Range} range */
  paint(range) {
    const { context, theme, ratio } = this;
    if (theme === undefined) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = theme.ui.focus;
    for (const x of this.foundAt) context.fillRect(x - 1, BASE + 1, 3, MINIMAP_HEIGHT - BASE - 2);
    if (this.isWhole(range)) return;
    const [left, right] = plotEdges(this.width);
    const from = this.x(range.start);
    const to = Math.max(from + 3, this.x(range.end));
    context.fillStyle = theme.ui.bg;
    context.globalAlpha = 0.62;
    context.fillRect(left, 2, from - left, MINIMAP_HEIGHT - 4);
    context.fillRect(to, 2, right - to, MINIMAP_HEIGHT - 4);
    context.globalAlpha = 1;
    context.strokeStyle = context.fillStyle = theme.ui.focus;
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(from - 0.5, 3, to - from + 1, MINIMAP_HEIGHT - 7, 4);
    context.stroke();
    for (const x of [from, to]) fillRounded(context, x - 2, MINIMAP_HEIGHT / 2 - 8, 4, 14, 2);
  }

  /** @param {Range} range */
  isWhole(range) {
    return range.end - range.start > this.recording.duration * 0.999;
  }

  /** @param {{ range: () => Range, show: (range: Range) => void }} navigator @param {AbortSignal} signal */
  listen(navigator, signal) {
    /** @type {{ grip: import('./brush.js').Grip, x: number, range: Range, moved: boolean } | null} */
    let drag = null;
    const xOf = (/** @type {PointerEvent} */ event) => event.clientX - this.canvas.getBoundingClientRect().left;
    this.canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      const range = navigator.range();
      const x = xOf(event);
      drag = { grip: gripAt(x, this.x(range.start), this.x(range.end), this.isWhole(range)), x, range, moved: false };
      this.canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    }, { signal });
    this.canvas.addEventListener('pointermove', (event) => {
      if (drag === null) return this.showGrip(xOf(event), navigator.range());
      const x = xOf(event);
      drag.moved ||= Math.abs(x - drag.x) >= CLICK;
      if (drag.moved) navigator.show(dragged(drag.grip, drag.range, this.time(drag.x), this.time(x)));
    }, { signal });
    const release = (/** @type {PointerEvent} */ event) => {
      if (drag !== null && !drag.moved && event.type === 'pointerup') navigator.show(centred(drag.range, this.time(drag.x)));
      drag = null;
    };
    this.canvas.addEventListener('pointerup', release, { signal });
    this.canvas.addEventListener('pointercancel', release, { signal });
  }

  /** @param {number} x @param {Range} range */
  showGrip(x, range) {
    const grip = gripAt(x, this.x(range.start), this.x(range.end), this.isWhole(range));
    this.canvas.style.cursor = { start: 'ew-resize', end: 'ew-resize', move: 'grab', new: 'crosshair' }[grip];
  }
}

/**
 * For each pixel, the share of its time in which the loop was busy, and in which it was blocked.
 * @param {Recording} recording
 * @param {number} width
 */
function loopLoad({ loop, duration }, width) {
  const occupancy = new Occupancy(Math.max(1, width));
  if (loop !== null) collect(loop, { start: 0, scale: width / duration, width }, Infinity, occupancy, { nodes: 0, spans: 0 });
  const busy = Float32Array.from({ length: occupancy.width }, (_, x) => occupancy.cover.reduce((sum, cover) => sum + cover[x], 0));
  return { busy, blocked: occupancy.cover[BLOCKED] };
}

/** @param {Float32Array} values */
function smooth(values) {
  return values.map((_, i) => {
    const near = values.subarray(Math.max(0, i - SMOOTH), i + SMOOTH + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}
