// Times and counts in words. All times here are nanoseconds; three digits tell a length, a step tells a moment.

/** @type {readonly [string, number][]} */
const UNITS = [['ns', 1], ['µs', 1e3], ['ms', 1e6], ['s', 1e9]];
const MINUTE = 60e9;
const HOUR = 3600e9;

/**
 * A length of time to three significant digits: "230 ms", "21.7 ms", "309 µs", "12 min 5 s".
 * @param {number} ns
 */
export function formatDuration(ns) {
  if (ns >= 2 * MINUTE) return formatLong(ns);
  const unit = UNITS.findIndex(([, size], i) => i === UNITS.length - 1 || Number((ns / size).toPrecision(3)) < 1000);
  const [name, size] = UNITS[unit];
  return `${Number((ns / size).toPrecision(3))} ${name}`;
}

/** @param {number} ns at least two minutes */
function formatLong(ns) {
  if (ns < HOUR - 0.5e9) {
    const seconds = Math.round(ns / 1e9);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  const minutes = Math.round(ns / MINUTE);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * A moment, with as many digits as a step of `step` needs: 1.25 s at a step of 10 ms, 20.5001 s at one of 100 µs.
 * @param {number} ns
 * @param {number} step in ns
 * @param {number} [scale] the magnitude that chooses the unit; the axis gives its end, so that all ticks share one
 */
export function formatMoment(ns, step, scale = ns) {
  if (Math.abs(scale) >= 2 * MINUTE) return formatClock(ns, step);
  const [name, size] = UNITS.findLast(([, unit]) => Math.max(Math.abs(scale), step) >= unit) ?? UNITS[0];
  const decimals = Math.min(9, Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9)));
  const value = (ns / size).toFixed(decimals);
  return `${Number(value) === 0 ? '0' : value} ${name}`;
}

/**
 * h:mm:ss for runs of minutes and hours, with decimals of the second where the step is finer.
 * @param {number} ns
 * @param {number} step
 */
function formatClock(ns, step) {
  const decimals = Math.min(9, Math.max(0, Math.ceil(-Math.log10(step / 1e9) - 1e-9)));
  const grain = 10 ** (9 - decimals);
  const whole = Math.round(ns / grain) * grain;
  const hours = Math.floor(whole / HOUR);
  const minutes = String(Math.floor((whole % HOUR) / MINUTE)).padStart(hours > 0 ? 2 : 1, '0');
  const seconds = ((whole % MINUTE) / 1e9).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, '0');
  return hours > 0 ? `${hours}:${minutes}:${seconds}` : `${minutes}:${seconds}`;
}

/** 1143 becomes "1,143", as in Python's `f"{n:,}"`. @param {number} count */
export function formatCount(count) {
  return count.toLocaleString('en-GB');
}

/** `cell 3, line 24`; the same words as Python's `str(site)`. @param {{ file: string, line: number }} what */
export function formatSite({ file, line }) {
  return `${file}, line ${line}`;
}
