// Colours, and which set of them to use: light, dark, each with high contrast, or what the reader's system forces on all.
// The state colours of light and dark are DESIGN.md's. In every set each has at least 3:1 against its background (7:1 in
// high contrast), and those that share a shape stay apart for protan, deutan and tritan sight: tests/widgets/test_palette.py.
// Knows where a page says how it looks; knows nothing of what is painted.

import { KINDS } from './kinds.js';

/**
 * @typedef {object} Theme
 * @property {boolean} dark
 * @property {string[]} kinds a colour for each kind, by its number
 * @property {Record<string, string>} ui by name, also set as custom properties on the view's root
 */

const OTHER_LIGHT = '#6E7582';
const OTHER_DARK = '#C5CBD9';

/** @type {Theme} */
export const LIGHT = {
  dark: false,
  kinds: ['#0447A3', '#5895DE', OTHER_LIGHT, '#DC5E02', '#A47B23', '#52626C', '#3F978D', '#781099', '#B86215', '#A40E26', OTHER_LIGHT, '#781099', OTHER_LIGHT, '#5895DE'],
  ui: {
    bg: '#ffffff', panel: '#f7f8fa', chip: '#ffffff', line: '#e3e6ea', grid: '#eef0f3',
    text: '#1b2430', muted: '#5a6675', faint: '#5c6673', focus: '#0447A3',
    band: 'rgba(164, 14, 38, 0.065)', edge: 'rgba(164, 14, 38, 0.55)', capsule: 'rgba(27, 36, 48, 0.05)',
    arrow: 'rgba(70, 82, 97, 0.6)', hatch: 'rgba(255, 255, 255, 0.38)', hatchReady: 'rgba(255, 255, 255, 0.62)',
    shadow: '0 6px 24px rgba(20, 30, 45, 0.16)',
  },
};

/** @type {Theme} */
export const DARK = {
  dark: true,
  kinds: ['#6196F2', '#3A5FAA', OTHER_DARK, '#F79840', '#E9B916', '#526471', '#74E5C7', '#C389F9', '#E07122', '#DA3141', OTHER_DARK, '#C389F9', OTHER_DARK, '#3A5FAA'],
  ui: {
    bg: '#111111', panel: '#1a1d21', chip: '#22262c', line: '#2c3138', grid: '#1f2328',
    text: '#e8ecf1', muted: '#a3adb9', faint: '#8c96a3', focus: '#8ab8ff',
    band: 'rgba(255, 77, 94, 0.11)', edge: 'rgba(255, 96, 110, 0.7)', capsule: 'rgba(232, 236, 241, 0.055)',
    arrow: 'rgba(163, 173, 185, 0.65)', hatch: 'rgba(0, 0, 0, 0.42)', hatchReady: 'rgba(0, 0, 0, 0.55)',
    shadow: '0 8px 28px rgba(0, 0, 0, 0.6)',
  },
};

/**
 * No tints, no greys for words, and every line as strong as the words.
 * @param {boolean} dark @param {string[]} kinds
 * @param {{ bg: string, text: string, focus: string, grid: string, capsule: string }} own
 * @returns {Theme}
 */
function highContrast(dark, kinds, { bg, text, focus, grid, capsule }) {
  return { dark, kinds, ui: {
    bg, panel: bg, chip: bg, line: text, grid, text, muted: text, faint: text, focus,
    band: 'transparent', edge: text, capsule, arrow: text, hatch: bg, hatchReady: bg, shadow: 'none',
  } };
}

const OTHER_HIGH_LIGHT = '#545454';
const OTHER_HIGH_DARK = '#95959D';

export const HIGH_LIGHT = highContrast(
  false,
  ['#0B33EE', '#0A1838', OTHER_HIGH_LIGHT, '#8F4300', '#6B5000', '#555863', '#043524', '#5A1496', '#804C07', '#520008', OTHER_HIGH_LIGHT, '#5A1496', OTHER_HIGH_LIGHT, '#0A1838'],
  { bg: '#ffffff', text: '#000000', focus: '#0B33EE', grid: '#cccccc', capsule: '#f0f0f0' },
);

export const HIGH_DARK = highContrast(
  true,
  ['#7AA2FF', '#E4EBFF', OTHER_HIGH_DARK, '#FFD9A0', '#FFE14D', '#B7BDCA', '#3CFFB0', '#B779FF', '#DF8000', '#FF625E', OTHER_HIGH_DARK, '#B779FF', OTHER_HIGH_DARK, '#E4EBFF'],
  { bg: '#000000', text: '#ffffff', focus: '#FFE14D', grid: '#444444', capsule: '#1a1a1a' },
);

/**
 * What a system forces on all pages. Asked of an element each time, for a canvas keeps what "Canvas" first meant to it.
 * Only the states keep colours of their own.
 * @param {Document} page @param {boolean} dark
 */
function forced(page, dark) {
  const probe = page.body.appendChild(page.createElement('i'));
  const [bg, text, focus] = ['Canvas', 'CanvasText', 'Highlight'].map((name) => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return highContrast(dark, (dark ? HIGH_DARK : HIGH_LIGHT).kinds, { bg, text, focus, grid: 'transparent', capsule: 'transparent' });
}

/**
 * The text colour for a label on a fill: black on light fills, white on dark ones, whichever has more contrast.
 * @param {string} fill
 */
export function textOn(fill) {
  return luminance(fill) > 0.179 ? '#000000' : '#ffffff';  // 0.179: where black and white contrast equally (WCAG 2)
}

/** @param {string} hex `#rrggbb` @returns {[number, number, number]} */
export function rgb(hex) {
  return [parseInt(hex.slice(1, 3), 16), parseInt(hex.slice(3, 5), 16), parseInt(hex.slice(5, 7), 16)];
}

/** Relative luminance by WCAG 2, 0 to 1. @param {string} hex `#rrggbb` */
export function luminance(hex) {
  const [r, g, b] = rgb(hex).map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * Whether the page around the view is dark: JupyterLab's own word for it, then VS Code's, then marimo's, then the colour of
 * JupyterLab's cells (exported pages have that only), then what the reader's system prefers.
 * @param {Document} page
 */
function isDark(page) {
  const { dataset, classList } = page.body;
  if (dataset.jpThemeLight !== undefined) return dataset.jpThemeLight === 'false';
  if (dataset.vscodeThemeKind !== undefined) return dataset.vscodeThemeKind.includes('dark') || dataset.vscodeThemeKind === 'vscode-high-contrast';
  if (classList.contains('dark')) return true;
  if (classList.contains('light')) return false;
  const cell = getComputedStyle(page.body).getPropertyValue('--jp-layout-color0').trim();
  if (/^#[0-9a-f]{6}$/i.test(cell)) return luminance(cell) < 0.179;
  if (/^(#fff|white)$/i.test(cell)) return false;
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

const ASKED = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)'];

/**
 * The theme that fits a page: a system that forces its colours is asked first, for it overrules what a page says of itself.
 * @param {Document} page
 * @returns {Theme}
 */
function themeOf(page) {
  const [prefersDark, prefersMore, isForced] = ASKED.map((query) => matchMedia(query).matches);
  if (isForced) return forced(page, prefersDark);
  const { jpThemeName, vscodeThemeKind } = page.body.dataset;  // "JupyterLab Dark High Contrast", "vscode-high-contrast-light"
  const high = prefersMore || /high.?contrast/i.test(`${jpThemeName} ${vscodeThemeKind}`);
  if (isDark(page)) return high ? HIGH_DARK : DARK;
  return high ? HIGH_LIGHT : LIGHT;
}

/**
 * Call `apply` with the page's theme now and whenever it changes, until the signal aborts.
 * @param {Document} page
 * @param {(theme: Theme) => void} apply
 * @param {AbortSignal} signal
 */
export function followTheme(page, apply, signal) {
  let current = '';
  const update = () => {
    const next = themeOf(page);
    if (current !== (current = JSON.stringify(next.ui))) apply(next);
  };
  const observer = new MutationObserver(update);
  observer.observe(page.body, { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'data-vscode-theme-kind', 'class'] });
  signal.addEventListener('abort', () => observer.disconnect(), { once: true });
  for (const query of ASKED) matchMedia(query).addEventListener('change', update, { signal });
  update();
}

/**
 * Make a theme's colours known to the stylesheet: `--text`, `--kind-run` and so on.
 * @param {HTMLElement} root
 * @param {Theme} theme
 */
export function setColours(root, theme) {
  for (const [name, value] of Object.entries(theme.ui)) root.style.setProperty(`--${name}`, value);
  theme.kinds.forEach((value, kind) => root.style.setProperty(`--kind-${KINDS[kind].name}`, value));
  root.style.colorScheme = theme.dark ? 'dark' : 'light';
}
