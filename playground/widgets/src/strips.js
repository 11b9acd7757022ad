// What is too narrow to be a bar, painted a lane at a time: three scanlines a lane, stretched to the height of their shape.

import { SHARE } from './kinds.js';
import { Occupancy, collect, compose } from './raster.js';
import { rgb } from './theme.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./geometry.js').Projection} Projection */

const WIDE = 4;  // CSS pixels from which a span is drawn as a bar of its own
const LAYERS = /** @type {const} */ (['thin', 'half', 'full']);

export class Strips {
  constructor() {
    this.canvas = document.createElement('canvas');
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    this.occupancy = new Occupancy(1);
    this.image = new ImageData(1, 1);
    /** @type {Map<Lane, number>} first scanline of each lane */
    this.lineOf = new Map();
    this.left = 0;
  }

  /**
   * Rasterise the lanes of a frame.
   * @param {Lane[]} lanes
   * @param {Projection} projection
   * @param {number} ratio
   * @param {string[]} colours by kind
   * @returns {Map<Lane, number[]>} spans wide enough for bars
   */
  render(lanes, projection, ratio, colours) {
    this.left = Math.round(projection.gutter * ratio);
    const width = Math.max(1, Math.round(projection.width * ratio) - this.left);
    this.resize(width, lanes.length * LAYERS.length);
    const window = { start: projection.time(this.left / ratio), scale: projection.scale * ratio, width };
    const pixels = new Uint32Array(this.image.data.buffer);
    const palette = colours.map(rgb);
    const counts = { nodes: 0, spans: 0 };
    /** @type {Map<Lane, number[]>} */
    const bars = new Map();
    this.lineOf.clear();
    for (const lane of lanes) {
      if (lane.row === null) continue;
      const line = this.lineOf.size * LAYERS.length;
      this.lineOf.set(lane, line);
      bars.set(lane, collect(lane.row, window, WIDE * ratio, this.occupancy, counts));
      compose(this.occupancy, lane.row.kinds, palette, pixels, line * width);
    }
    this.context.putImageData(this.image, 0, 0);
    return bars;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    if (this.occupancy.width !== width) this.occupancy = new Occupancy(width);
    if (this.image.width !== width || this.image.height < height) {
      this.image = new ImageData(width, Math.max(3, height));
      this.canvas.width = width;
      this.canvas.height = this.image.height;
    } else {
      this.image.data.fill(0);
    }
  }

  /**
   * Paint a lane's strip, its bars standing at `top` and `height` in CSS pixels.
   * @param {CanvasRenderingContext2D} context
   * @param {Lane} lane
   * @param {number} top
   * @param {number} height
   * @param {number} ratio
   */
  paint(context, lane, top, height, ratio) {
    const line = this.lineOf.get(lane);
    if (line === undefined) return;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.imageSmoothingEnabled = false;
    LAYERS.forEach((shape, layer) => {
      const [y, tall] = barExtent(shape, top, height);
      const [from, to] = [Math.round(y * ratio), Math.max(Math.round(y * ratio) + 1, Math.round((y + tall) * ratio))];
      context.drawImage(this.canvas, 0, line + layer, this.image.width, 1, this.left, from, this.image.width, to - from);
    });
    context.restore();
  }
}

/**
 * Top and height of a shape within its lane's bar.
 * @param {import('./kinds.js').Shape} shape
 * @param {number} top
 * @param {number} height
 * @returns {[number, number]}
 */
export function barExtent(shape, top, height) {
  const tall = shape === 'thin' ? Math.max(2, height * SHARE.thin) : height * SHARE[shape];
  return [top + (height - tall) / 2, tall];
}

