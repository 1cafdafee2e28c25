// SPDX-License-Identifier: EUPL-1.2

// The licences of what is bundled with a page.
import { readdir, readFile } from 'node:fs/promises';

// notice names every package of which something was printed, under its licence in full, behind the line that says what printed it.
export async function notice(printed, inputs) {
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
