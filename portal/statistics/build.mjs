// SPDX-License-Identifier: EUPL-1.2

// Prints dist: one page, one script, one style sheet, and the licences of what is inside. The same lock file gives the same bytes.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { notice } from '../notice.mjs';

const dist = 'dist';
const printed = 'Printed by "npm run build" in portal/statistics; do not edit.';

// Plot writes a style sheet into each picture, which the content policy of the page refuses; ours has what stands in it.
const amend = {
  name: 'amend',
  setup(b) {
    b.onLoad({ filter: /\/@observablehq\/plot\/src\/(plot|legends\/(ramp|swatches))\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const amended = text.replace(/\.(?:append|insert)\("style"(?:, "\*")?\)\.text\(\s*`[^`]*`\s*\)/, '');
      if (amended === text) throw new Error(`${path} no longer has what is amended in it`);
      return { contents: amended, loader: 'js' };
    });
  },
};

await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['src/statistics.js'],
  outdir: dist,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2023',
  charset: 'utf8',
  banner: { js: `// ${printed} Licences: see NOTICE.`, css: `/* ${printed} Licences: see NOTICE. */` },
  legalComments: 'none', // NOTICE has them whole
  metafile: true,
  plugins: [amend],
});

const asset = (ext) => basename(Object.keys(metafile.outputs).find((name) => name.endsWith(ext)));
const page = await readFile('index.html', 'utf8');
await writeFile(
  `${dist}/index.html`,
  page
    .replace(/^<!--.*-->/, `<!-- ${printed} -->`)
    .replace('statistics.css', asset('.css'))
    .replace('statistics.js', asset('.js')),
);
await writeFile(`${dist}/NOTICE`, await notice(printed, Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))));
