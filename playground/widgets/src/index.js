// The bundle's face: anywidget's contract as the default export, and the pure parts by name for tests.
// None of the names is `render` or `initialize`: hosts would take those for the contract.

import { startPage } from './page.js';
import { mountWidget } from './widget.js';

export { Arrows, FEW } from './arrows.js';
export { wordsOn } from './bars.js';
export { placeChips } from './chips.js';
export { centred, dragged, gripAt } from './brush.js';
export { Details } from './details.js';
export { layRun } from './comparison-run.js';
export { formatDuration, formatMoment } from './format.js';
export { around, between, clampRange, hitTest, layOut, project, timeTicks } from './geometry.js';
export { choicesAt, verdict } from './guess.js';
export { grow, growRow } from './grow.js';
export { actionOf } from './keyboard.js';
export { KINDS } from './kinds.js';
export { lowTree } from './low-tree.js';
export { across, along, alongArrow, blockAfter } from './moves.js';
export { wheelOctaves } from './navigator.js';
export { tell } from './panel.js';
export { makePlay } from './play.js';
export { Occupancy, collect, compose } from './raster.js';
export { Recording, overlap } from './recording.js';
export { Row } from './rows.js';
export { inOrder, marksIn, search } from './search.js';
export { requestRows, sortRows } from './table.js';
export { DARK, HIGH_DARK, HIGH_LIGHT, LIGHT, luminance, textOn } from './theme.js';
export { throttle } from './throttle.js';
export { placed } from './waterfall.js';
export { unpack, unshuffle } from './wire.js';

export default { render: mountWidget };

if (typeof document !== 'undefined') startPage(document);
