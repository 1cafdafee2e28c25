// SPDX-License-Identifier: EUPL-1.2
// Examines a house with suites and clients that others wrote:  node run.mjs BINARY [SUITE ...]
// One table at the end; the exit status is 1 where a check does not hold.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { House } from './house.mjs';
import { Sheet } from './sheet.mjs';

// Which edition of GraphQL over HTTP the house keeps to, and what is examined in it: what has a slug behind it in the contract of that tenant, what has none
// in that of the standard house, as far as it is about a contract.
const plan = {
  2025: ['http', 'ws', 'sse', 'events', 'clients', 'relay', 'relay@sh', 'codegen', 'codegen@sh', 'lint', 'lint@sh', 'pages', 'balkone@sh'],
  'draft-2026-08': ['draft'],
};

const [program, ...only] = process.argv.slice(2);
const chosen = (suite) => only.length === 0 || only.includes(suite) || only.includes(suite.split('@')[0]);
if (!program || !Object.values(plan).flat().some(chosen)) {
  console.error(`usage: node run.mjs BINARY [SUITE ...]    of ${Object.values(plan).flat().join(', ')}`);
  process.exit(2);
}
const binary = path.resolve(program);
// urql breaks off streams that have ended
process.on('uncaughtException', (e) => {
  if (e?.name !== 'AbortError') throw e;
});

const here = import.meta.dirname;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ozg-conformance-'));
fs.chmodSync(folder, 0o711); // where the database runs as another user
const sheets = [];
try {
  for (const [profile, suites] of Object.entries(plan)) {
    const wanted = suites.filter(chosen);
    if (wanted.length === 0) continue;
    const house = await House.open(binary, path.join(folder, 'data'), profile);
    try {
      for (const suite of wanted) sheets.push(await examine(house, suite));
    } finally {
      await house.close();
    }
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

console.log();
for (const s of sheets) console.log(`${s.ok ? 'ok  ' : 'FAIL'}  ${s.suite.padEnd(10)} ${`${s.passed}/${s.checks.length}`.padStart(6)}  ${s.seconds} s`);
process.exit(sheets.length > 0 && sheets.every((s) => s.ok) ? 0 : 1);

async function examine(house, suite) {
  const begun = Date.now();
  const sheet = new Sheet(suite);
  const workplace = fs.mkdtempSync(path.join(here, '.work-')); // in here, so that node_modules is found
  try {
    const [name, tenant] = suite.split('@');
    const { default: run } = await import(`./suites/${name}.mjs`);
    await run(house, sheet, workplace, tenant);
  } catch (e) {
    sheet.note('the suite comes to its end', false, e.stack);
  } finally {
    process.chdir(here);
    fs.rmSync(workplace, { recursive: true, force: true });
  }
  sheet.seconds = ((Date.now() - begun) / 1000).toFixed(1);
  for (const { name, ok, why } of sheet.checks) if (!ok) console.log(`[${suite}] ${name}\n${why.replace(/^/gm, '    ')}`);
  return sheet;
}
