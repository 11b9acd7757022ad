// Paints one frame of the timeline onto its canvas: decides what lies over what, and leaves the drawing to its parts.
// Everything it needs is handed to it, so that the same state always gives the same picture.

import { bandsOf, momentAt, paintAxis, paintBackground, paintBandEdges, paintMoment, ticksOf } from './axis.js';
import { capsulesOf, paintBarLabels, paintBars, paintCapsules, paintOutline, paintRequestLabels } from './bars.js';
import { Ruler, clipped, contextOf, hatching } from './canvas.js';
import { AXIS_HEIGHT, isPinned, laneTop } from './geometry.js';
import { paintGutter } from './gutter.js';
import { paintArrows } from './handoffs.js';
import { paintMarks } from './marks.js';
import { NO_REQUEST } from './rows.js';
import { Strips } from './strips.js';

/** @typedef {import('./geometry.js').Lane} Lane */
/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('./geometry.js').Projection} Projection */
/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Span} Span */

/**
 * What every part of the painter draws with.
 * @typedef {object} Pen
 * @property {CanvasRenderingContext2D} context
 * @property {Ruler} ruler
 * @property {Recording} recording
 * @property {Projection} projection
 * @property {import('./theme.js').Theme} theme
 * @property {CanvasPattern} hatch over what blocks
 * @property {CanvasPattern} hatchReady over what is ready
 * @property {number} pinnedBottom y of the line below the event loop's lanes
 */

/** @typedef {{ selected: Span | null, hovered: Span | null, pointerX: number | null, found?: import('./search.js').Marks }} Marks */

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Recording} recording
   * @param {Layout} layout
   */
  constructor(canvas, recording, layout) {
    this.context = contextOf(canvas);
    this.ruler = new Ruler(this.context);
    this.strips = new Strips();
    this.recording = recording;
    this.layout = layout;
    /** @type {Map<import('./rows.js').Row, Lane>} */
    this.lanes = new Map();
    for (const lane of layout.lanes) for (const row of [lane.row, lane.life]) if (row !== null) this.lanes.set(row, lane);
  }

  /** @param {import('./theme.js').Theme} theme @param {number} ratio */
  setTheme(theme, ratio) {
    this.theme = theme;
    this.ratio = ratio;
    this.hatch = hatching(this.context, theme.ui.hatch, 6, 2, ratio);
    this.hatchReady = hatching(this.context, theme.ui.hatchReady, 4, 1.6, ratio);
  }

  /** @param {Projection} projection @param {Marks} marks */
  paint(projection, marks) {
    const { context, theme, hatch, hatchReady, ratio } = this;
    if (theme === undefined || hatch === undefined || hatchReady === undefined || ratio === undefined) return;
    const pinnedBottom = AXIS_HEIGHT + this.layout.pinnedHeight;
    /** @type {Pen} */
    const pen = { context, ruler: this.ruler, recording: this.recording, projection, theme, hatch, hatchReady, pinnedBottom };
    const visible = this.layout.lanes.filter((lane) => isVisible(lane, projection, pinnedBottom));
    const bars = this.strips.render(visible, projection, ratio, theme.kinds);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = theme.ui.bg;
    context.fillRect(0, 0, projection.width, projection.height);
    const [ticks, bands] = [ticksOf(pen), bandsOf(pen)];
    paintBackground(pen, ticks, bands);
    this.paintLanes(pen, visible, bars, ratio);
    this.paintOver(pen, bands, marks);
    paintGutter(pen, visible);
    const moment = marks.pointerX === null || marks.pointerX <= projection.gutter ? null : momentAt(pen, marks.pointerX);
    paintAxis(pen, ticks, bands, moment);
    if (moment !== null) paintMoment(pen, moment);
  }

  /** @param {Pen} pen @param {Lane[]} visible @param {Map<Lane, number[]>} bars @param {number} ratio */
  paintLanes(pen, visible, bars, ratio) {
    const { context, projection, pinnedBottom } = pen;
    const { gutter, width, height } = projection;
    for (const pinned of [false, true]) {
      const lanes = visible.filter((lane) => isPinned(lane) === pinned);
      const itsBars = new Map([...bars].filter(([lane]) => isPinned(lane) === pinned));
      const box = pinned ? [gutter, AXIS_HEIGHT, width, pinnedBottom - AXIS_HEIGHT] : [gutter, pinnedBottom, width, height];
      clipped(context, /** @type {[number, number, number, number]} */ (box), () => {
        paintCapsules(pen, lanes);
        for (const lane of lanes) this.strips.paint(context, lane, laneTop(lane, projection) + lane.barTop, lane.barHeight, ratio);
        paintBars(pen, itsBars);
        paintBarLabels(pen, itsBars);
        paintRequestLabels(pen, lanes);
      });
    }
  }

  /** @param {Pen} pen @param {import('./axis.js').Band[]} bands @param {Marks} marks */
  paintOver(pen, bands, { selected, hovered, found }) {
    const { projection, theme } = pen;
    const request = selected === null ? NO_REQUEST : selected.row.request[selected.index];
    clipped(pen.context, [projection.gutter, AXIS_HEIGHT, projection.width, projection.height], () => {
      paintBandEdges(pen, bands);
      paintArrows(pen, (row) => this.lanes.get(this.recording.rows[row]), request);
      if (request !== NO_REQUEST) this.paintRequest(pen, request);
      if (found !== undefined) paintMarks(pen, (row) => this.lanes.get(row), found);
    });
    if (hovered !== null) this.outline(pen, hovered, theme.ui.text, 1.25);
    if (selected !== null) this.outline(pen, selected, theme.ui.focus, 2);
  }

  /** A thin line around the life of the selected request. @param {Pen} pen @param {number} request */
  paintRequest(pen, request) {
    for (const lane of this.layout.lanes) {
      const { life } = lane;
      if (life === null || !isVisible(lane, pen.projection, pen.pinnedBottom)) continue;
      for (const index of capsulesOf(lane, pen.projection)) {
        if (life.request[index] === request) paintOutline(pen, lane, { row: life, index }, pen.theme.ui.focus, 1);
      }
    }
  }

  /** @param {Pen} pen @param {Span} span @param {string} colour @param {number} thickness */
  outline(pen, span, colour, thickness) {
    const lane = this.lanes.get(span.row);
    if (lane !== undefined) paintOutline(pen, lane, span, colour, thickness);
  }
}

/** @param {Lane} lane @param {Projection} projection @param {number} pinnedBottom */
function isVisible(lane, projection, pinnedBottom) {
  const top = laneTop(lane, projection);
  return top < projection.height && (isPinned(lane) || top + lane.height > pinnedBottom);
}
