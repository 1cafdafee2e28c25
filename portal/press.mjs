// SPDX-License-Identifier: EUPL-1.2

// What prints a page: one document, one script, one style sheet, and the licences of what is inside. The same lock file gives the same bytes.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

// print writes the page of a folder of the portal, its name being that of its script, into dist. amendments are [files, loader, ...[is, shall]]: what is
// changed in packages before they are bundled. more are options of esbuild, whose build is handed in because each folder brings its own.
export async function print({ build, name, source, dist, target, amendments, more }) {
  const printed = `Printed by "npm run build" in portal/${name}; do not edit.`;
  await rm(dist, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [source],
    outdir: dist,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target,
    charset: 'utf8',
    banner: { js: `// ${printed} Licences: see NOTICE.`, css: `/* ${printed} Licences: see NOTICE. */` },
    legalComments: 'none', // NOTICE has them whole
    metafile: true,
    plugins: [amend(amendments)],
    ...more,
  });
  const outputs = Object.entries(metafile.outputs);
  const asset = (ext) => basename(outputs.map(([file]) => file).find((file) => file.endsWith(ext)));
  const page = (await readFile('index.html', 'utf8'))
    .replace(/^<!--.*-->/, `<!-- ${printed} -->`)
    .replace(`${name}.css`, asset('.css'))
    .replace(`${name}.js`, asset('.js'));
  await writeFile(`${dist}/index.html`, page);
  await writeFile(`${dist}/NOTICE`, await notice(printed, outputs.flatMap(([, output]) => Object.entries(output.inputs))));
}

// amend is the plugin for it. A package that no longer has what is to be changed breaks the build.
const amend = (amendments) => ({
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
});

// notice names every package of which something was printed, under its licence in full, behind the line that says what printed it.
async function notice(printed, inputs) {
  const names = new Map();
  for (const folder of new Set(inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => folderOf(file)).filter(Boolean))) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? (await readFile(`${folder}/${file}`, 'utf8')).replaceAll('\r\n', '\n').trim() : 'Named in the package, which has no copy of it.';
    names.set(text, [...(names.get(text) ?? []), `${name} ${version} (${license})`].sort());
  }
  const parts = [...names].map(([text, packages]) => `${'-'.repeat(80)}\n${packages.join('\n')}\n\n${text}\n`).sort();
  return `${printed}
The page itself is under EUPL-1.2, the packages bundled with it are under the licences below.

${parts.join('\n')}`;
}

function folderOf(file) {
  return file.match(/^node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/)?.[0];
}
