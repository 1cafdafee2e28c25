// SPDX-License-Identifier: EUPL-1.2
// Apollo's suite for the compatibility of subgraphs, as it was published, without Docker, Rover or Apollo's router: its tests and its two reference
// subgraphs run as they are; Hive's gateway stands in for the router.

import { composeServices } from '@theguild/federation-composition';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { parse } from 'graphql';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { within } from '../sheet.mjs';

const require = createRequire(import.meta.url);
const suite = path.dirname(require.resolve('@apollo/federation-subgraph-compatibility-tests/package.json'));

/** The contract that the suite wants to see served. */
export const contract = path.join(suite, 'products.graphql');

async function sdlOf(url) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: '{"query":"{ _service { sdl } }"}' });
  return (await response.json()).data._service.sdl;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts a reference subgraph of the suite on 127.0.0.1, and waits until it answers. */
async function reference(name, started) {
  const port = await freePort();
  const program = spawn(process.execPath, ['--require', path.join(import.meta.dirname, 'loopback.cjs'), 'index.js'], {
    cwd: path.join(suite, 'dist/subgraphs', name), env: { ...process.env, FORCE_PORT: String(port) }, stdio: 'ignore',
  });
  started.push(program);
  const url = `http://127.0.0.1:${port}/`;
  const answers = async () => {
    for (;;) if (await sdlOf(url).catch(() => new Promise((go) => setTimeout(go, 50)))) return url;
  };
  return within(60_000, answers(), `the start of ${name}`);
}

export default async function subgraph(products, sheet, folder) {
  const started = [];
  let router;
  try {
    const urls = { products, users: await reference('users', started), inventory: await reference('inventory', started) };
    const services = await Promise.all(Object.entries(urls).map(async ([name, url]) => ({ name, url, typeDefs: parse(await sdlOf(url)) })));
    const made = composeServices(services);
    sheet.note('the supergraph composes', !made.errors?.length, made.errors?.map((e) => e.message).join('\n'));
    const gateway = createGatewayRuntime({ supergraph: made.supergraphSdl, logging: false, maskedErrors: false, graphqlEndpoint: '/', landingPage: false });
    router = http.createServer(gateway).listen(0, '127.0.0.1');
    await once(router, 'listening');

    const config = path.join(folder, 'jest.json');
    const results = path.join(folder, 'results.json');
    fs.writeFileSync(config, JSON.stringify({
      rootDir: path.join(suite, 'dist'), testEnvironment: 'node', testMatch: ['**/tests/*.test.js'], testPathIgnorePatterns: [], haste: { retainAllFiles: true }, transform: {},
      moduleNameMapper: { '^\\.\\./utils/client$': path.join(import.meta.dirname, 'client.cjs') },
    }));
    const jest = spawn(process.execPath, [require.resolve('jest/bin/jest'), '--ci', '--json', '--outputFile', results, '--config', config, '--silent'], {
      env: { ...process.env, PRODUCTS_URL: products, ROUTER_URL: `http://127.0.0.1:${router.address().port}/` }, stdio: 'ignore',
    });
    started.push(jest);
    await once(jest, 'exit');
    for (const file of JSON.parse(fs.readFileSync(results, 'utf8')).testResults) {
      if (file.assertionResults.length === 0) sheet.note(path.basename(file.name), false, file.message);
      for (const a of file.assertionResults) sheet.note(a.fullName, a.status === 'passed', a.failureMessages?.join('\n') ?? '');
    }
  } finally {
    for (const program of started) program.kill();
    router?.close();
    router?.closeAllConnections();
  }
}
