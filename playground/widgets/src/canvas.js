// A canvas that is sharp on its screen, and the few drawing words that the painters share.
// Coordinates are CSS pixels everywhere; only this module and the strips know of device pixels.

const FONT = 'Inter, system-ui, -apple-system, "Segoe UI", sans-serif';

/** @typedef {CanvasRenderingContext2D} Context */

/** @param {HTMLCanvasElement} canvas @returns {Context} */
export function contextOf(canvas) {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('expected a 2D canvas, found none: this browser does not offer one');
  return context;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} ratio device pixels a CSS pixel
 */
export function resizeCanvas(canvas, width, height, ratio) {
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

/** Call `resize` now, and whenever an element's size changes. @param {HTMLElement} element @param {() => void} resize @param {AbortSignal} signal */
export function followSize(element, resize, signal) {
  const observer = new ResizeObserver(resize);
  observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect(), { once: true });
  resize();
}

/** @param {Context} context @param {number} weight @param {number} size */
export function setFont(context, weight, size) {
  context.font = `${weight} ${size}px ${FONT}`;
}

/**
 * @param {Context} context
 * @param {number} x @param {number} y @param {number} width @param {number} height @param {number} radius
 */
export function fillRounded(context, x, y, width, height, radius) {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

/**
 * Draw in a rectangle only.
 * @param {Context} context
 * @param {[number, number, number, number]} box x, y, width, height
 * @param {() => void} draw
 */
export function clipped(context, box, draw) {
  context.save();
  context.beginPath();
  context.rect(...box);
  context.clip();
  draw();
  context.restore();
}

/**
 * Diagonal stripes to lay over a bar.
 * @param {Context} context
 * @param {string} colour
 * @param {number} step from stripe to stripe
 * @param {number} thickness
 * @param {number} ratio
 * @returns {CanvasPattern}
 */
export function hatching(context, colour, step, thickness, ratio) {
  const tile = document.createElement('canvas');
  const side = Math.round(step * ratio);
  tile.width = tile.height = side;
  const ink = /** @type {Context} */ (tile.getContext('2d'));
  ink.strokeStyle = colour;
  ink.lineWidth = thickness * ratio;
  ink.beginPath();
  for (const shift of [-side, 0, side]) {  // the neighbours' stripes reach into the tile's corners
    ink.moveTo(shift - 1, side + 1);
    ink.lineTo(shift + side + 1, -1);
  }
  ink.stroke();
  const pattern = /** @type {CanvasPattern} */ (context.createPattern(tile, 'repeat'));
  pattern.setTransform(new DOMMatrix().scale(step / side));
  return pattern;
}

/** Widths of texts, measured once: a canvas takes microseconds for each, and a frame has hundreds. */
export class Ruler {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Map<string, number>} */
    this.widths = new Map();
  }

  /** Width of a text in the context's present font. @param {string} text */
  width(text) {
    const key = `${this.context.font}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      if (this.widths.size > 4000) this.widths.clear();
      width = this.context.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  /**
   * The text, or its beginning with an ellipsis, or nothing where fewer than six letters would fit.
   * @param {string} text
   * @param {number} room
   */
  fit(text, room) {
    if (text.length > 400) text = text.slice(0, 400);  // no screen shows more, and measuring has its price
    if (this.width(text) <= room) return text;
    let length = Math.min(text.length - 1, Math.floor((room / this.width(text)) * text.length));
    while (length >= 6 && this.width(`${text.slice(0, length)}…`) > room) length--;
    return length >= 6 ? `${text.slice(0, length).trimEnd()}…` : '';
  }
}
