// Where the names of blocked stretches go among the axis's labels. Pure: extents in pixels in, places out.

/** @typedef {[number, number]} Extent left and right, in pixels */

const GAP = 4;  // between a chip and a label
const LEAST_LABELS = 2;  // an axis with fewer tells no scale

/**
 * A place for each chip within its stretch, so that it covers as few labels as it can; of equally good ones the
 * nearest to the middle. A chip that would leave fewer than two labels is left out.
 * @param {Extent[]} labels of the ticks
 * @param {{ left: number, right: number, width: number }[]} stretches with the widths of their chips
 * @returns {(Extent | null)[]}
 */
export function placeChips(labels, stretches) {
  /** @type {Extent[]} */
  const taken = [];
  return stretches.map(({ left, right, width }) => {
    const middle = (left + right - width) / 2;
    const open = labels.filter((label) => isFree(label, taken));
    /** @param {number} x */
    const covered = (x) => open.filter((label) => !isFree(label, [[x, x + width]])).length;
    const [best] = [middle, ...open.flatMap(([from, to]) => [to + GAP, from - GAP - width])]
      .filter((x) => x >= left && x + width <= right && isFree([x, x + width], taken))
      .sort((a, b) => covered(a) - covered(b) || Math.abs(a - middle) - Math.abs(b - middle));
    if (best === undefined || open.length - covered(best) < Math.min(LEAST_LABELS, labels.length)) return null;
    /** @type {Extent} */
    const chip = [best, best + width];
    taken.push(chip);
    return chip;
  });
}

/** Whether nothing that is taken lies under an extent. @param {Extent} extent @param {Extent[]} taken */
export function isFree([left, right], taken) {
  return !taken.some(([from, to]) => right > from - GAP && left < to + GAP);
}
