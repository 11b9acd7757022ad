// Bundles src/ into the one committed file that every user loads, static/views.js.
//
//   node build.mjs           write it
//   node build.mjs --check   build in memory and fail if the committed file differs
//
// The versions that shape the output are pinned in package-lock.json, so the same sources give the same bytes.

import { build, transform } from 'esbuild';
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

// What d3-zoom, d3-drag and the navigator ask of a selection. A bundler cannot know that nobody asks for the rest, for
// they are properties of one object; without them, what they call goes too: 2.4 kB gzipped.
const METHODS = new Set(['selection', 'filter', 'call', 'node', 'each', 'style', 'property', 'on', 'datum']);

/** Keeps those methods of d3-selection. @type {import('esbuild').Plugin} */
const fewSelections = {
  name: 'few-selections',
  setup(setup) {
    setup.onLoad({ filter: /d3-selection[\\/]dist[\\/]d3-selection\.mjs$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const kept = [];
      const contents = text.replace(/^ {2}(\w+): selection_\w+,\n/gm, (line, name) => (METHODS.has(name) && kept.push(name) ? line : ''));
      if (kept.length !== METHODS.size) throw new Error(`expected d3-selection to define ${[...METHODS].join(', ')}, found ${kept.join(', ')}: see METHODS in build.mjs`);
      return { contents, loader: 'js' };
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
  charset: 'ascii',  // no byte of it depends on how a page was told to read it
  banner: {
    js: '/* Built from playground/widgets/src by build.mjs: do not edit. Contains d3-scale, d3-zoom, d3-selection and their parts, (c) Mike Bostock, ISC licence. */',
  },
  alias: {
    'd3-format': './src/no-formats.js',
    'd3-interpolate': './src/only-numbers.js',
    'd3-transition': './src/no-transitions.js',
  },
  plugins: [minifiedCss, fewSelections],
  write: false,
});

const fresh = result.outputFiles[0].text;
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
