// One run in a comparison: its loop and workers on a canvas, painted by what paints a timeline, at the stretch that all
// runs share. It decides where its lanes stand and what is said past its end; which stretch is shown is decided outside.

import { resizeCanvas } from './canvas.js';
import { make } from './dom.js';
import { AXIS_HEIGHT, project } from './geometry.js';
import { Painter } from './painter.js';
import { Recording } from './recording.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('./geometry.js').Range} Range */
/** @typedef {{ letter: string, mark: string, name: string, facts: [string, string][], left_out: string, timeline: any }} RunFacts */

/** The loop pinned on top, workers below. @param {Recording} recording @returns {Layout} */
export function layRun(recording) {
  /** @type {Lane[]} */
  const lanes = [];
  let top = 4;
  let pinnedHeight = 0;
  for (const row of recording.rows.filter(({ length }) => length > 0)) {
    const isLoop = row.group === 'loop';
    const height = isLoop ? 26 : 17;
    lanes.push({ group: isLoop ? 'loop' : 'worker', name: row.name, note: '', top, height, barTop: 0, barHeight: height, row, life: null });
    top += height + 3;
    if (isLoop) pinnedHeight = top;
  }
  return { lanes, pinnedHeight, height: top + 4 };
}

export class RunLanes {
  /** @param {RunFacts} facts @param {Record<string, any>} columns */
  constructor({ letter, mark, name, left_out: leftOut, timeline }, columns) {
    this.recording = new Recording({ header: timeline, columns });
    this.layout = layRun(this.recording);
    this.durationNs = Number(timeline.duration_ns);
    this.name = `${letter} ${name}`;
    this.canvas = /** @type {HTMLCanvasElement} */ (make('canvas', { class: 'lanes', 'aria-hidden': 'true', 'data-testid': `compare-lanes-${letter}` }));
    this.element = make('div', {}, make('h2', {}, make('i', {}, mark), this.name, make('small', {}, leftOut)), this.canvas);
    this.painter = new Painter(this.canvas, this.recording, this.layout);
    this.height = AXIS_HEIGHT + this.layout.height;
    this.width = 0;
    /** @type {import('./painter.js').Marks} */
    this.marks = { selected: null, hovered: null, pointerX: null };
  }

  /** @param {number} width @param {number} ratio @param {import('./theme.js').Theme} theme */
  resize(width, ratio, theme) {
    this.width = width;
    this.theme = theme;
    resizeCanvas(this.canvas, width, this.height, ratio);
    this.painter.setTheme(theme, ratio);
  }

  /** @param {Range} range in nanoseconds of this run */
  projection({ start, end }) {
    const { tickNs } = this.recording;
    return project({ width: this.width, height: this.height, scroll: 0 }, { start: start / tickNs, end: end / tickNs });
  }

  /** @param {Range} range in nanoseconds of this run */
  paint(range) {
    const projection = this.projection(range);
    this.painter.paint(projection, this.marks);
    const { context, ruler } = this.painter;
    const x = projection.x(this.recording.duration);
    if (this.theme === undefined || x > projection.right) return;
    context.fillStyle = this.theme.ui.panel;
    context.fillRect(x, AXIS_HEIGHT, this.width - x, this.height);
    context.fillStyle = this.theme.ui.muted;
    const words = ruler.fit('the run is over', projection.right - x - 10);
    if (words.endsWith('over')) context.fillText(words, x + 8, AXIS_HEIGHT + 17);
  }
}
