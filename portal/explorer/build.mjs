// SPDX-License-Identifier: EUPL-1.2

// Prints ../dist: one page, one script, one style sheet, and the licences of what is inside. The same lock file gives the same bytes.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { notice } from '../notice.mjs';

const dist = '../dist';
const printed = 'Printed by "npm run build" in portal/explorer; do not edit.';

// GraphiQL and CodeMirror bring style attributes and fonts inside of style sheets, which the content policy of the page refuses, and
// buttons inside of tabs, which screen readers cannot reach.
const amendments = [
  [/\/graphiql\/dist\/style\.css$/, 'css', [/@font-face\s*\{[^}]*\}/g, '']],
  [/\/codemirror\/addon\/search\/search\.js$/, 'js', [/"?style"?: "[^"]*",? ?/g, '']],
  [/\/codemirror\/addon\/search\/jump-to-line\.js$/, 'js', [/ style="[^"]*"/g, '']],
  [/\/@graphiql\/react\/dist\/ui\/tabs\.js$/, 'js', ['role: "tablist", ', ''], ['"aria-selected": isActive, role: "tab"', '"aria-current": isActive']],
];
const amend = {
  name: 'amend',
  setup(b) {
    for (const [filter, loader, ...changes] of amendments) {
      b.onLoad({ filter }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [is, shall] of changes) {
          const amended = contents.replace(is, shall);
          if (amended === contents) throw new Error(`${path} no longer has what is amended in it`);
          contents = amended;
        }
        return { contents, loader };
      });
    }
  },
};

await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['src/explorer.jsx'],
  outdir: dist,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.graphql': 'text' },
  alias: { 'react-style-singleton': './src/sheet.js' },
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
    .replace('explorer.css', asset('.css'))
    .replace('explorer.js', asset('.js')),
);
await writeFile(`${dist}/NOTICE`, await notice(printed, Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))));
