// SPDX-License-Identifier: EUPL-1.2
// Our own client for TypeScript, as it is given away: compiled with --strict, and behind a proxy that cuts its connections.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import WebSocket from 'ws';
import { same, so, within } from '../sheet.mjs';

const query = `subscription($after: EventCursor) { caseEvents(after: $after, heartbeatSeconds: 1) { __typename
  ... on CaseEvent { cursor type caseId revision } ... on StreamCheckpoint { caughtUp } ... on StreamRevocation { caseIds } } }`;

export default async function events(house, sheet, workplace) {
  const source = path.join(import.meta.dirname, '../../clients/typescript');
  fs.cpSync(source, workplace, { recursive: true, filter: (f) => !/node_modules|dist$/.test(f) });
  let follow, Refused;
  await sheet.check('tsc --strict compiles it', async () => {
    execFileSync(process.execPath, [path.join(import.meta.dirname, '../node_modules/typescript/lib/tsc.js'), '-p', workplace], { encoding: 'utf8' });
    ({ follow, Refused } = await import(path.join(workplace, 'dist/follow.js')));
  });
  if (!follow) return;
  await sheet.check('the versions are those of the suites', async () => {
    const [own, suites] = [path.join(source, 'package.json'), path.join(import.meta.dirname, '../package.json')].map((f) => JSON.parse(fs.readFileSync(f, 'utf8')));
    for (const [name, version] of Object.entries({ ...own.dependencies, ...own.devDependencies })) same(version, suites.devDependencies[name], name);
  });

  for (const transport of ['socket', 'event-stream']) {
    const token = async () => ({ token: house.token });
    const options = (proxy, more) => ({ url: proxy.url, transport, webSocketImpl: WebSocket, token, first: 5, longest: 50, ...more });
    const ignore = { gap: () => {}, revoked: () => {} };

    await sheet.check(`${transport}: nothing is missed behind a proxy that cuts connections, and nothing comes twice`, async () => {
      const proxy = await Proxy.before(house.url);
      const stop = new AbortController();
      const told = [];
      const ready = signal();
      const enough = signal();
      const following = follow(options(proxy, { signal: stop.signal }), { query }, {
        ...ignore,
        event: ({ cursor, frame }) => {
          same(frame.cursor, cursor, 'the cursor beside the data');
          told.push(frame);
          if (told.length === 20) enough.come();
        },
        checkpoint: ready.come,
      });
      await ready.came;
      for (let i = 0; i < 10; i++) {
        await house.happen(2);
        proxy.cut();
      }
      await enough.came;
      stop.abort();
      await following;
      await proxy.close();
      so(proxy.carried > 3, `only ${proxy.carried} connections`);
      same(new Set(told.map((f) => f.cursor)).size, 20, 'cursors');
      same(told.map((f) => f.revision), told.map((_, i) => told[0].revision + i), 'revisions');
    });

    await sheet.check(`${transport}: twin: who does not say where it was misses something`, async () => {
      const proxy = await Proxy.before(house.url);
      const told = [];
      const stop = new AbortController();
      let ready = signal();
      const anew = (async () => {
        while (!stop.signal.aborted) {
          const once = new AbortController();
          stop.signal.addEventListener('abort', () => once.abort());
          await follow(options(proxy, { signal: once.signal }), { query }, { ...ignore, event: (e) => void told.push(e), checkpoint: ready.come, broken: () => once.abort() });
        }
      })();
      await ready.came;
      for (let i = 0; i < 5; i++) {
        ready = signal();
        proxy.cut();
        await house.happen(2);
      }
      stop.abort();
      await anew;
      await proxy.close();
      so(told.length < 10, 'it has everything: the check is of no use');
    });

    await sheet.check(`${transport}: a token is renewed in its time`, async () => {
      const proxy = await Proxy.before(house.url);
      const stop = new AbortController();
      const broken = [];
      const third = signal();
      let asked = 0;
      const following = follow(
        options(proxy, {
          signal: stop.signal,
          token: async () => {
            if (++asked === 3) third.come();
            return { token: house.token, expiresAt: new Date(Date.now() + 500) };
          },
        }),
        { query },
        { ...ignore, event: () => {}, broken: (why) => broken.push(why) },
      );
      await third.came;
      stop.abort();
      await following;
      await proxy.close();
      same(broken.length, 0, 'breaks');
      if (transport === 'socket') same(proxy.carried, 1, 'connections');
    });

    await sheet.check(`${transport}: what is refused for good ends it`, async () => {
      const proxy = { url: house.url };
      const why = await follow(options(proxy), { query: query.replace('caseEvents', 'nobodysEvents') }, { ...ignore, event: () => {} }).catch((e) => e);
      so(why instanceof Refused && why.code === 'VALIDATION', String(why));
      let asked = 0;
      const forged = await follow(options(proxy, { token: () => ({ token: `forged${asked++}` }) }), { query }, { ...ignore, event: () => {} }).catch((e) => e);
      so(forged instanceof Refused && asked === 3, `${forged} after ${asked} tokens`);
    });

    await sheet.check(`${transport}: what the receiver throws ends it in front of the event`, async () => {
      const ready = signal();
      const following = follow(options({ url: house.url }), { query }, { ...ignore, event: () => { throw new RangeError('full'); }, checkpoint: ready.come });
      await ready.came;
      await house.happen(1);
      so((await within(5000, following, 'it').catch((e) => e)) instanceof RangeError, 'it does not end');
    });
  }
}

/** A signal that comes once. */
function signal() {
  let come;
  const came = new Promise((go) => (come = () => go()));
  return { come, came };
}

/** Stands between client and house, and breaks connections. */
class Proxy {
  static async before(url) {
    const proxy = new Proxy();
    const { hostname, port, pathname } = new URL(url);
    proxy.carried = 0;
    proxy.open = new Set();
    proxy.server = net.createServer((near) => {
      const far = net.connect(Number(port), hostname);
      proxy.carried++;
      for (const [one, other] of [[near, far], [far, near]]) {
        proxy.open.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          proxy.open.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise((go) => proxy.server.listen(0, '127.0.0.1', go));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}${pathname}`;
    return proxy;
  }

  cut() {
    for (const s of this.open) s.resetAndDestroy();
  }

  async close() {
    this.cut();
    await new Promise((go) => this.server.close(go));
  }
}
