// SPDX-License-Identifier: EUPL-1.2
// GraphQL over event streams: the reference client graphql-sse in both of its modes, and the stream itself.

import { createClient } from 'graphql-sse';
import { same, so } from '../sheet.mjs';

const query = '{ __typename }';

export default async function sse(house, sheet) {
  const { finite, endless } = house.streams;
  const client = (options) => createClient({ url: house.url, headers: house.headers, retryAttempts: 0, ...options });
  const all = (c, query) =>
    new Promise((done, failed) => {
      const got = [];
      c.subscribe({ query }, { next: (v) => got.push(v), error: failed, complete: () => done(got) });
    });
  const stream = (query, more) =>
    house.fetch(house.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
      ...more,
    });

  await sheet.check('reference client: a query', async () => {
    const c = client();
    same((await all(c, query)).length, 1, 'answers');
    c.dispose();
  });
  await sheet.check('reference client: a subscription that ends is completed', async () => {
    const c = client();
    const got = await all(c, finite);
    c.dispose();
    so(got.length > 1, `${got.length} answers`);
  });
  await sheet.check('reference client: a document that does not validate is told', async () => {
    const c = client();
    const got = await all(c, 'subscription { no_such_field }').catch((e) => [{ errors: [e] }]);
    c.dispose();
    so(got.length === 1 && got[0].errors?.length > 0, JSON.stringify(got));
  });
  await sheet.check('the type is text/event-stream', async () => {
    const response = await stream(finite);
    await response.text();
    same(response.headers.get('content-type').split(';')[0], 'text/event-stream', 'type');
  });
  await sheet.check('the events are next, and complete at the end', async () => {
    const events = [...(await (await stream(finite)).text()).matchAll(/^event: ?(.*)$/gm)].map((m) => m[1]);
    same(events.pop(), 'complete', 'last event');
    same([...new Set(events)], ['next'], 'events before');
  });
  await sheet.check('who hangs up does no harm', async () => {
    const phone = new AbortController();
    same((await stream(endless, { signal: phone.signal })).status, 200, 'status');
    phone.abort();
    const c = client();
    same((await all(c, query)).length, 1, 'answers afterwards');
    c.dispose();
  });
  await sheet.check('nobody on the way keeps it', async () => {
    const response = await stream(query);
    await response.text();
    so(/no-cache|no-store/.test(response.headers.get('cache-control')), response.headers.get('cache-control'));
  });
  await sheet.check('single connection: reference client', async () => {
    const c = client({ singleConnection: true });
    const got = await all(c, finite);
    c.dispose();
    so(got.length > 1, `${got.length} answers`);
  });
  await sheet.check('single connection: two at once', async () => {
    const c = client({ singleConnection: true });
    const [a, b] = await Promise.all([all(c, finite), all(c, finite)]);
    c.dispose();
    same(a.length, b.length, 'answers');
  });
}
