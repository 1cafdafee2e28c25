// SPDX-License-Identifier: EUPL-1.2
// Clients that people use: they page through a connection with their own caches, and receive a subscription.

import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, fetchExchange, gql as urqlGql, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { same, so } from '../sheet.mjs';

const page = `query Page($first: Int, $after: String) {
  cases(first: $first, after: $after) {
    __typename
    edges { __typename cursor node { __typename id } }
    pageInfo { __typename hasNextPage hasPreviousPage startCursor endCursor }
  }
}`.replace('String', 'Cursor');

export default async function clients(house, sheet) {
  const { finite } = house.streams;
  const socket = () => createClient({ url: house.socketUrl, webSocketImpl: WebSocket, connectionParams: { Authorization: house.headers.authorization } });
  const apollo = (fields = {}) =>
    new ApolloClient({ link: new HttpLink({ uri: house.url, fetch: house.fetch }), cache: new InMemoryCache({ typePolicies: { Query: { fields } } }) });
  const urql = (options) => new Client({ url: house.url, fetch: house.fetch, preferGetMethod: false, ...options });
  const asked = async (operation) => {
    const { data, error } = await operation.toPromise();
    if (error) throw error;
    return data;
  };
  const once = (edges) => same(new Set(edges.map((e) => e.node.id)).size, edges.length, 'different ids');

  await sheet.check('Apollo Client: two pages become one', async () => {
    const client = apollo({ cases: relayStylePagination() });
    const query = gql(page);
    const { data } = await client.query({ query, variables: { first: 5 } });
    await client.query({ query, variables: { first: 5, after: data.cases.pageInfo.endCursor }, fetchPolicy: 'network-only' });
    const { edges } = client.readQuery({ query, variables: { first: 5 } }).cases;
    same(edges.length, 10, 'edges');
    once(edges);
  });
  await sheet.check('Apollo Client: each node is cached under type and id', async () => {
    const client = apollo();
    const { data } = await client.query({ query: gql(page), variables: { first: 3 } });
    const cached = client.cache.extract();
    for (const { node } of data.cases.edges) so(cached[`${node.__typename}:${node.id}`], 'a node is not in the cache');
  });
  await sheet.check('Apollo Client: a subscription', async () => {
    const s = socket();
    const client = new ApolloClient({ link: new GraphQLWsLink(s), cache: new InMemoryCache() });
    const count = await new Promise((done, failed) => {
      let n = 0;
      client.subscribe({ query: gql(finite) }).subscribe({ next: () => n++, error: failed, complete: () => done(n) });
    });
    await s.dispose();
    so(count > 1, `${count} answers`);
  });
  await sheet.check('urql with graphcache: two pages become one', async () => {
    const client = urql({ exchanges: [cacheExchange({ resolvers: { Query: { cases: relayPagination() } } }), fetchExchange] });
    const first = await asked(client.query(urqlGql(page), { first: 5 }));
    const both = await asked(client.query(urqlGql(page), { first: 5, after: first.cases.pageInfo.endCursor }));
    same(both.cases.edges.length, 10, 'edges');
    once(both.cases.edges);
  });
  await sheet.check('urql: a query by GET', async () => {
    const client = urql({ preferGetMethod: 'force', exchanges: [fetchExchange] });
    same((await asked(client.query(urqlGql('{ __typename }'), {}))).__typename, 'Query', 'answer');
  });
  await sheet.check('urql: a query is answered as JSON, although urql accepts event streams too', async () => {
    let type = '';
    const listening = async (url, init) => {
      const response = await house.fetch(url, init);
      type = response.headers.get('content-type');
      return response;
    };
    await asked(urql({ fetch: listening, exchanges: [fetchExchange] }).query(urqlGql('{ __typename }'), {}));
    so(/json/.test(type), type);
  });
  await sheet.check('urql: a subscription', async () => {
    const s = socket();
    const forwardSubscription = ({ query = '', variables }) => ({ subscribe: (sink) => ({ unsubscribe: s.subscribe({ query, variables }, sink) }) });
    const client = urql({ exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })] });
    await new Promise((done, failed) => {
      let n = 0;
      const { unsubscribe } = client.subscription(urqlGql(finite), {}).subscribe(({ error }) => {
        if (error) failed(error);
        if (++n === 2) setTimeout(() => done(unsubscribe()));
      });
    });
    await s.dispose();
  });
  await sheet.check('Relay: walking forward meets every edge once', async () => {
    const seen = new Set();
    for (let after = null; ; ) {
      const { edges, pageInfo } = (await house.ask(page, { first: 100, after })).cases;
      for (const { cursor } of edges) so(!seen.has(cursor) && seen.add(cursor), 'a cursor twice');
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    same(seen.size, (await house.ask('{ cases(first: 0) { totalCount } }')).cases.totalCount, 'edges');
  });
  await sheet.check('Relay: node gives the same object', async () => {
    const { node } = (await house.ask(page, { first: 1 })).cases.edges[0];
    same((await house.ask('query($id: ID!) { node(id: $id) { __typename id } }', { id: node.id })).node, node, 'node');
  });
}
