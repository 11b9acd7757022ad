// Bundles src/ into the one committed file that every user loads, static/views.js.
//
//   node build.mjs           write it
//   node build.mjs --check   build in memory and fail if the committed file differs
//
// The versions that shape the output are pinned in package-lock.json, so the same sources give the same bytes.

import { build, transform } from 'esbuild';
import { minify } from 'terser';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = new URL('.', import.meta.url);
const target = new URL('static/views.js', here);
const browsers = ['chrome111', 'firefox113', 'safari16.4'];  // the first with adoptedStyleSheets and color-mix()

/** A stylesheet is imported as a string, for the view's shadow root. @type {import('esbuild').Plugin} */
const minifiedCss = {
  name: 'minified-css',
  setup(setup) {
    setup.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, target: browsers });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

// What is asked of d3's objects. A bundler cannot know that nobody asks for the rest, for methods are properties of an
// object; without them, what they call goes too: 5 kB gzipped. Each pattern finds one method, and its name.
const METHOD = /^ {2}(?:\w+\.)?(\w+)(?: =|:) function\(.*\) \{\n[^]*?^ {2}\}[,;]?\n/gm;
const ASKED = {
  'd3-dispatch': { method: METHOD, kept: ['on', 'call'] },
  'd3-selection': { method: /^ {2}([\w.[\]]+): selection_\w+,?\n/gm, kept: ['selection', 'filter', 'call', 'node', 'each', 'style', 'property', 'on', 'datum'] },
  'd3-zoom': {
    method: METHOD,
    kept: ['transform', 'wheelDelta', 'filter', 'extent', 'scaleExtent', 'translateExtent', 'on', 'scale', 'translate', 'invert', 'invertX', 'invertY'],
  },
  'd3-scale': { method: METHOD, kept: ['invert', 'domain', 'range', 'ticks'] },
};
/** What never comes about here, and what stands in its place. @type {[RegExp, string][]} */
const NEVER = [
  // what is made when d3 is loaded, for objects that nobody here makes
  [/^(?:(?:EnterNode|ClassList|Local)\.prototype = [^]*?^\};|transform\.prototype = .*;)\n/gm, ''],
  [/ = (?=(?:Blur2|shuffler|bisector)\(|ascendingBisect\.|Array\.prototype\.(?:find|filter|slice);)(.*);/g, ' = /* @__PURE__ */ (() => $1)();'],
  // a zoom and a selection are told things, and asked for none of what they were told
  [/return arguments\.length \? \((.*), zoom\) : .*;/g, 'return $1, zoom;'],
  [/^( +)if \(arguments\.length < 2\) \{\n[^]*?^\1\}\n/gm, '$1var on;\n'],  // declared in there, used below
  [/return arguments\.length > 1\n +\? ([^]*?)\n +: .*;/g, 'return $1;'],
  [/return arguments\.length\n +\? this\.property.*\n +: (.*);/g, 'return $1;'],
  // a drawing's points, and a second tap on what does without `dblclick.zoom`
  [/^ {4}if \(svg\.createSVGPoint\) \{\n[^]*?^ {4}\}\n/gm, ''],
  [/^ {6}\/\/ If this was a dbltap[^]*?^ {6}\}\n/gm, ''],
  // who asks an event for more than these: nobody
  [/Object\.defineProperties\(this, \{\n {4}type[^]*?\}\);/g, 'Object.assign(this, { sourceEvent, transform });'],
  // a browser without `selectstart`: none of those above
  [/ else \{\n {4}root\.(?:__noselect|style)[^]*?^ {2}\}/gm, ''],
];
// What d3 would call on a transition, on an axis of several pieces, or where it was not told otherwise.
const NEVER_CALLED = /^( *)function (schedule|dblclicked|defaultExtent|defaultFilter|defaultWheelDelta|polymap|clamper|matcher|style(?:Remove|Function)|property(?:Remove|Constant))\([^]*?^\1\}\n/gm;
const unseen = new Set(NEVER.map(([pattern]) => pattern));
const notHere = JSON.stringify(fileURLToPath(new URL('src/not-here.js', here)));

/** Keeps what is asked of d3. @type {import('esbuild').Plugin} */
const onlyAsked = {
  name: 'only-asked',
  setup(setup) {
    setup.onLoad({ filter: /[\\/]dist[\\/]d3-\w+\.mjs$/ }, async ({ path }) => {
      const name = /d3-\w+(?=\.mjs$)/.exec(path)?.[0] ?? '';
      const { method, kept } = ASKED[name] ?? { method: /(?!)/g, kept: [] };
      const found = new Set();
      const text = (await readFile(path, 'utf8')).replace(method, (own, its) => (kept.includes(its) && found.add(its) ? own : ''));
      if (found.size !== kept.length) throw new Error(`expected ${name} to define ${kept.join(', ')}, found ${[...found].join(', ')}: see ASKED in build.mjs`);
      let imports = '';
      const contents = NEVER.reduce((rest, [pattern, instead]) => {
        const changed = rest.replace(pattern, instead);
        if (changed !== rest) unseen.delete(pattern);
        return changed;
      }, text).replace(NEVER_CALLED, (_own, _indent, its) => {
        imports += `import { notHere as ${its} } from ${notHere};\n`;
        return '';
      });
      return { contents: imports + contents, loader: 'js' };
    });
  },
};

const result = await build({
  entryPoints: [fileURLToPath(new URL('src/index.js', here))],
  absWorkingDir: fileURLToPath(here),
  bundle: true,
  format: 'esm',
  target: browsers,
  minify: true,
  legalComments: 'none',
  alias: {
    'd3-format': './src/no-formats.js',
    'd3-interpolate': './src/only-numbers.js',
    'd3-transition': './src/no-transitions.js',
  },
  plugins: [minifiedCss, onlyAsked],
  write: false,
});

if (unseen.size > 0) throw new Error(`expected to find in d3 ${[...unseen].join(' and ')}, found none: see NEVER in build.mjs`);

// terser and not esbuild, which would leave 5 % more of it
const { code } = await minify(result.outputFiles[0].text, {
  module: true,
  compress: {
    passes: 3,
    ecma: 2020,
    lhs_constants: false,  // as they stand they repeat more
    unsafe_arrows: true,  // no function expression in here is called with `new` or asked for its `prototype`
  },
  format: {
    ascii_only: true,  // no byte of it depends on how a page was told to read it
    comments: false,
    preamble: '/* Built from playground/widgets/src by build.mjs: do not edit. Contains d3-scale, d3-zoom, d3-selection and their parts, (c) Mike Bostock, ISC licence. */',
  },
});
const fresh = `${code}\n`;
if (process.argv.includes('--check')) {
  const committed = await readFile(target, 'utf8').catch(() => '');
  if (committed !== fresh) {
    console.error('expected static/views.js to be what src/ builds to, found another text: run `npm run build` in playground/widgets');
    process.exit(1);
  }
} else {
  await writeFile(target, fresh);
  console.log(`static/views.js: ${fresh.length} bytes`);
}
