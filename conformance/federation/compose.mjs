// SPDX-License-Identifier: EUPL-1.2
// The house composes with a subgraph of a partner, and a gateway asks both in both directions. Apollo's own composer and gateway take part where somebody
// has installed them beside: their licence (Elastic-2.0) does not let them be named among what belongs here.

import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { same, so } from '../sheet.mjs';
import { openPartner, sdl as partnerSDL } from './partner.mjs';

const optional = (name) => import(name).catch(() => null);
const keyOf = (doc, type) =>
  doc.definitions
    .find((d) => d.name?.value === type)
    ?.directives.filter((d) => d.name.value === 'key')
    .map((d) => d.arguments.find((a) => a.name.value === 'fields').value.value);

export default async function compose(house, sheet) {
  const { sdl } = (await house.ask('{ _service { sdl } }'))._service;
  const doc = parse(sdl);
  await sheet.check('Case, Tenant, Service and ServiceOffering have one key each', async () => {
    same(['Case', 'Tenant', 'Service', 'ServiceOffering'].map((t) => keyOf(doc, t)), [['id'], ['id'], ['leikaKey'], ['id']], 'keys');
  });
  const { id } = (await house.ask('{ cases(first: 1) { nodes { id } } }')).cases.nodes[0];
  const partner = await openPartner(id);
  try {
    const services = [{ name: 'house', url: house.url, typeDefs: doc }, { name: 'partner', url: partner.url, typeDefs: parse(partnerSDL) }];
    let supergraph;
    await sheet.check('composes: @theguild/federation-composition', async () => {
      const made = composeServices(services);
      so(!made.errors?.length, made.errors?.map((e) => e.message).join('\n'));
      supergraph = made.supergraphSdl;
    });
    const apollo = await optional('@apollo/composition');
    if (apollo) {
      await sheet.check('composes: @apollo/composition', async () => {
        const made = (apollo.composeServices ?? apollo.default.composeServices)(services);
        so(!made.errors?.length, made.errors?.map((e) => e.message).join('\n'));
        same(made.hints?.map((h) => h.message) ?? [], [], 'hints');
      });
    }
    if (supergraph) {
      await throughHive(supergraph, house, (ask) => bothWays('Hive gateway', sheet, id, ask));
      const gateway = await optional('@apollo/gateway');
      if (gateway) await throughApollo(gateway.ApolloGateway ? gateway : gateway.default, supergraph, house, (ask) => bothWays('Apollo gateway', sheet, id, ask));
    }
  } finally {
    partner.close();
  }
  const ask = async (representations, selection) => {
    const response = await house.fetch(house.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `query($r: [_Any!]!) { _entities(representations: $r) { ${selection} } }`, variables: { r: representations } }),
    });
    return response.json();
  };
  await sheet.check('an unknown __typename is an error, no crash', async () => {
    same((await ask([{ __typename: 'NoSuchType', id: '1' }], '__typename')).errors?.[0]?.extensions?.rule, 'badEntity', 'rule');
  });
  await sheet.check('what was asked for stands where it was asked for, and null where there is nothing', async () => {
    const { data } = await ask([{ __typename: 'Case', id: 'no-such-id' }, { __typename: 'Service', leikaKey: '99108001001000' }, { __typename: 'Case', id }], '... on Case { id } ... on Service { leikaKey }');
    same(data._entities, [null, { leikaKey: '99108001001000' }, { id }], 'entities');
  });
}

async function bothWays(gateway, sheet, id, ask) {
  await sheet.check(`${gateway}: cases of the house with notes of the partner`, async () => {
    const { data, errors } = await ask('{ cases(first: 3) { nodes { id partnerNote service { title instructions } } } }');
    so(!errors, JSON.stringify(errors));
    for (const c of data.cases.nodes) same(c.partnerNote, `note on ${c.id}`, 'note');
    so(data.cases.nodes.length === 3 && data.cases.nodes.every((c) => c.service.title && c.service.instructions), 'something is missing');
  });
  await sheet.check(`${gateway}: the case of the partner with its number in the house`, async () => {
    const { data, errors } = await ask('{ partner { id number partnerNote } }');
    so(!errors, JSON.stringify(errors));
    same(data.partner.id, id, 'id');
    so(data.partner.number, 'there is no number');
  });
}

async function throughHive(supergraph, house, run) {
  const gateway = createGatewayRuntime({
    supergraph,
    logging: false,
    maskedErrors: false,
    propagateHeaders: { fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? '' }) },
  });
  try {
    await run(async (query) =>
      (await gateway.fetch('http://gateway/graphql', { method: 'POST', headers: { 'content-type': 'application/json', ...house.headers }, body: JSON.stringify({ query }) })).json());
  } finally {
    await gateway[Symbol.asyncDispose]?.();
  }
}

async function throughApollo({ ApolloGateway, RemoteGraphQLDataSource }, supergraph, house, run) {
  class SignedIn extends RemoteGraphQLDataSource {
    willSendRequest({ request }) {
      for (const [name, value] of Object.entries(house.headers)) request.http.headers.set(name, value);
    }
  }
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const gateway = new ApolloGateway({ supergraphSdl: supergraph, buildService: ({ url }) => new SignedIn({ url }), logger: silent });
  const { schema, executor } = await gateway.load();
  try {
    await run((query) => {
      const document = parse(query);
      return executor({
        document, schema, source: query, queryHash: query, context: {}, cache: new Map(), metrics: {}, logger: silent, operationName: null,
        operation: document.definitions[0], request: { query, http: { headers: new Map() } }, overallCachePolicy: { restrict() {}, policyIfCacheable() {} },
      });
    });
  } finally {
    await gateway.stop();
  }
}
