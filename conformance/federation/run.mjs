// SPDX-License-Identifier: EUPL-1.2
// Examines the house as a subgraph with composers, gateways and a suite that others wrote:  node run.mjs BINARY PRODUCTS
// BINARY is the house, PRODUCTS the program conformance/products. One table at the end; the exit status is 1 where a check does not hold.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { House } from '../house.mjs';
import { Sheet } from '../sheet.mjs';
import compose from './compose.mjs';
import subgraph, { contract } from './subgraph.mjs';

process.env.METADATA_SERVER_DETECTION ??= 'none'; // a gateway must not look for a cloud

const [binary, products] = process.argv.slice(2).map((p) => path.resolve(p));
if (!products) {
  console.error('usage: node run.mjs BINARY PRODUCTS');
  process.exit(2);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ozg-federation-'));
fs.chmodSync(folder, 0o711); // where the database runs as another user
const sheets = [];

async function examine(name, run) {
  const begun = Date.now();
  const sheet = new Sheet(name);
  try {
    await run(sheet);
  } catch (e) {
    sheet.note('the suite comes to its end', false, e.stack);
  }
  sheet.seconds = ((Date.now() - begun) / 1000).toFixed(1);
  sheets.push(sheet);
  for (const { name: check, ok, why } of sheet.checks) if (!ok) console.log(`[${name}] ${check}\n${why.replace(/^/gm, '    ')}`);
}

try {
  await examine('compose', async (sheet) => {
    const house = await House.open(binary, path.join(folder, 'data'), '2025');
    try {
      await compose(house, sheet);
    } finally {
      await house.close();
    }
  });
  await examine('subgraph', async (sheet) => {
    const shop = spawn(products, [contract], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(shop, 'exit');
    try {
      const [address] = await once(createInterface(shop.stdout), 'line');
      await subgraph(address, sheet, folder);
    } finally {
      shop.kill();
      await gone;
    }
  });
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
console.log();
for (const s of sheets) console.log(`${s.ok ? 'ok  ' : 'FAIL'}  ${s.suite.padEnd(8)} ${`${s.passed}/${s.checks.length}`.padStart(6)}  ${s.seconds} s`);
process.exit(sheets.length === 2 && sheets.every((s) => s.ok) ? 0 : 1);
