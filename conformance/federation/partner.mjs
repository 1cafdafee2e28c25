// SPDX-License-Identifier: EUPL-1.2
// A subgraph of a partner: it adds a note to each case, and leads to one case. It is made by hand, of the reference implementation alone.

import { once } from 'node:events';
import http from 'node:http';
import { buildSchema, execute, parse } from 'graphql';

export const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Case @key(fields: "id") { id: ID! partnerNote: String! }
type Service @key(fields: "leikaKey") { leikaKey: LeikaKey! instructions: String! }
scalar LeikaKey
type Query { partner: Case! }`;

const schema = buildSchema(`${sdl.replace(/^extend schema.*$/m, 'directive @key(fields: String!) on OBJECT')}
scalar _Any
union _Entity = Case | Service
extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`);

const noted = (of) => ({ ...of, partnerNote: `note on ${of.id}`, instructions: `how to ask for ${of.leikaKey}` });

/** Opens the partner on 127.0.0.1; it leads to the case with this id. */
export async function openPartner(id) {
  const rootValue = { partner: noted({ __typename: 'Case', id }), _entities: ({ representations }) => representations.map(noted) };
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { query, variables } = JSON.parse(body);
    const answer = await execute({ schema, document: parse(query), rootValue, variableValues: variables });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => { server.close(); server.closeAllConnections(); } };
}
