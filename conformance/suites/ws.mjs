// SPDX-License-Identifier: EUPL-1.2
// graphql-transport-ws: the reference client, and what its protocol says about order and close codes.

import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { quiet, same, so } from '../sheet.mjs';

const PROTOCOL = 'graphql-transport-ws';
const query = '{ __typename }';

export default async function ws(house, sheet) {
  const { finite, endless } = house.streams;
  const init = { type: 'connection_init', payload: { Authorization: house.headers.authorization } };
  const client = (options) =>
    createClient({ url: house.socketUrl, webSocketImpl: WebSocket, connectionParams: init.payload, retryAttempts: 0, ...options });
  const all = (c, query) =>
    new Promise((done, failed) => {
      const got = [];
      c.subscribe({ query }, { next: (v) => got.push(v), error: failed, complete: () => done(got) });
    });

  await sheet.check('reference client: a query', async () => {
    const c = client();
    const got = await all(c, query);
    await c.dispose();
    same([got.length, got[0].errors ?? null], [1, null], 'answers and errors');
  });
  await sheet.check('reference client: a subscription that ends is completed', async () => {
    const c = client();
    const got = await all(c, finite);
    await c.dispose();
    so(got.length > 1, `${got.length} answers`);
  });
  await sheet.check('reference client: ten subscriptions on one socket', async () => {
    const c = client();
    const got = await Promise.all(Array.from({ length: 10 }, () => all(c, finite)));
    await c.dispose();
    same(new Set(got.map((g) => g.length)).size, 1, 'different numbers of answers');
  });
  await sheet.check('reference client: a document that does not validate is an error, and the socket lives on', async () => {
    const c = client({ lazy: false });
    const refused = await all(c, 'subscription { no_such_field }').catch((e) => e);
    so(Array.isArray(refused) && refused[0].message, 'no list of errors');
    same((await all(c, query)).length, 1, 'answers to a query afterwards');
    await c.dispose();
  });

  await sheet.check('connection_init is acknowledged', async () => (await signedIn()).close());
  await sheet.check('the subprotocol is agreed upon', async () => {
    const s = await open();
    same(s.protocol, PROTOCOL, 'subprotocol');
    s.close();
  });
  await sheet.check('ping gets pong before connection_init', async () => {
    const s = await open();
    s.say({ type: 'ping' });
    same((await s.hear()).type, 'pong', 'answer');
    s.close();
  });
  await sheet.check('ping gets pong after connection_ack', async () => {
    const s = await signedIn();
    s.say({ type: 'ping', payload: {} });
    same((await s.hear('pong')).type, 'pong', 'answer');
    s.close();
  });

  const closes = (code, name, begin, ...said) =>
    sheet.check(`${name}: ${code}`, async () => {
      const s = await begin();
      said.forEach((m) => s.say(m));
      same((await s.closed).code, code, 'close code');
    });
  const subscribe = (id, query) => ({ type: 'subscribe', id, payload: { query } });
  await closes(4400, 'no JSON', signedIn, '{');
  await closes(4400, 'an unknown type of message', signedIn, { type: 'no_such_type' });
  await closes(4400, 'subscribe without an id', signedIn, { type: 'subscribe', payload: { query } });
  await closes(4400, 'subscribe without a payload', signedIn, { type: 'subscribe', id: '1' });
  await closes(4401, 'subscribe before connection_init', open, subscribe('1', query));
  await closes(4403, 'a wrong token', open, { type: 'connection_init', payload: { Authorization: 'Bearer wrong' } });
  await closes(4408, 'no connection_init', open);
  await closes(4409, 'an id twice', signedIn, subscribe('1', endless), subscribe('1', endless));
  await closes(4429, 'connection_init twice', signedIn, init);

  await sheet.check('another subprotocol is refused', async () => {
    const s = socket('no-such-protocol');
    s.on('open', () => (s.opened = true));
    const { code } = await s.closed;
    so(!s.opened || code === 4406, `it opened, and closed with ${code}`);
  });
  await sheet.check('after complete, an id can be used again', async () => {
    const s = await signedIn();
    s.say(subscribe('a', endless));
    s.say({ type: 'complete', id: 'a' });
    s.say(subscribe('a', query));
    const got = await s.hear('next', (m) => m.payload.data.__typename);
    same(got.payload.data.__typename, 'Query', 'answer');
    s.close();
  });
  await sheet.check('complete is not answered by complete', async () => {
    const s = await signedIn();
    s.say(subscribe('c', endless));
    await s.hear('next');
    s.say({ type: 'complete', id: 'c' });
    await quiet(300);
    so(!s.heard.some((m) => m.type === 'complete'), 'it was');
    s.close();
  });
  await sheet.check('an unreadable document is an error with a list of errors', async () => {
    const s = await signedIn();
    s.say(subscribe('e', '{'));
    const got = await s.hear('error');
    so(Array.isArray(got.payload), 'no list');
    s.close();
  });
  await sheet.check('after complete, nothing more is said for an id', async () => {
    const s = await signedIn();
    s.say(subscribe('f', endless));
    await s.hear('next');
    s.say({ type: 'complete', id: 'f' });
    await quiet(100);
    s.heard.length = 0;
    await house.happen(3);
    await quiet(300);
    same(s.heard.filter((m) => m.id === 'f'), [], 'said');
    s.close();
  });

  /** A socket of which every message can be seen. */
  function socket(protocol = PROTOCOL) {
    const s = new WebSocket(house.socketUrl, protocol);
    s.heard = [];
    let told = () => {};
    s.closed = new Promise((done) => s.on('close', (code, reason) => done({ code, reason: String(reason) })));
    s.on('error', () => {}); // one that is refused is looked at by its end
    s.on('message', (m) => {
      s.heard.push(JSON.parse(m));
      told();
    });
    s.say = (m) => s.send(typeof m === 'string' ? m : JSON.stringify(m));
    /** The next message, of a type and as it is wanted; others are thrown away. */
    s.hear = async (type, wanted = () => true) => {
      for (;;) {
        const message = s.heard.shift();
        if (message && (!type || message.type === type) && wanted(message)) return message;
        if (message) continue;
        const news = new Promise((done) => (told = done));
        await Promise.race([news, s.closed.then((c) => Promise.reject(new Error(`closed with ${c.code} ${c.reason}`)))]);
      }
    };
    return s;
  }
  async function open() {
    const s = socket();
    await once(s, 'open');
    return s;
  }
  async function signedIn() {
    const s = await open();
    s.say(init);
    same((await s.hear()).type, 'connection_ack', 'answer');
    return s;
  }
}
