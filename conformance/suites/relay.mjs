// SPDX-License-Identifier: EUPL-1.2
// Relay's compiler: it pages through every connection at the root and fetches every type of node again by its id. It refuses contracts
// that break its conventions. In the contract of a tenant it also reads every extension field of every node, in a fragment on the type that has them.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buildSchema, getNamedType, isNonNullType, isObjectType } from 'graphql';
import { so } from '../sheet.mjs';

const compiler = createRequire(import.meta.url).resolve('relay-compiler/cli.js');
const config = {
  src: './src',
  schema: './schema.graphql',
  language: 'javascript',
  eagerEsModules: true,
  schemaConfig: { nodeInterfaceIdField: 'id' },
  persistConfig: { file: './persisted_queries.json', algorithm: 'SHA256' },
};

const pages = (name) => `
graphql\`fragment ops_${name} on Query @argumentDefinitions(n: {type: "Int", defaultValue: 10}, c: {type: "Cursor"})
  @refetchable(queryName: "ops_${name}_PaginationQuery") { ${name}(first: $n, after: $c) @connection(key: "ops_${name}") { edges { node { __typename } } } }\`;
graphql\`query ops_${name}_Query { ...ops_${name} }\`;`;

const refetches = (type) => `
graphql\`fragment ops_node_${type} on ${type} @refetchable(queryName: "ops_node_${type}_RefetchQuery") { id }\`;
graphql\`query ops_node_${type}_Query($id: ID!) { node(id: $id) { ...ops_node_${type} @alias(as: "it") } }\`;`;

// What stands in an object, down to its last leaf.
const inside = (type) =>
  Object.values(type.getFields())
    .map((f) => (isObjectType(getNamedType(f.type)) ? `${f.name} { ${inside(getNamedType(f.type))} }` : f.name))
    .join(' ');

const extended = (type, extension) => `
graphql\`fragment ops_ext_${extension.name} on ${extension.name} { ${inside(extension)} }\`;
graphql\`query ops_ext_${extension.name}_Query($id: ID!) { node(id: $id) { ... on ${type} @alias(as: "it") { extension { ...ops_ext_${extension.name} } } } }\`;`;

// What a tenant adds is filtered and ordered by like anything else.
const permits = `
graphql\`query ops_permits_Query { cases(first: 10, where: { extension: { bauart: { in: [NEUBAU, UMBAU] } } }, orderBy: [{ extension: { flurstueck: ASC } }])
  @connection(key: "ops_permits_cases") { edges { node { extension { flurstueck bauart bauteile { bezeichnung flaeche } } } } } }\`;`;

export default async function relay(house, sheet, folder, tenant) {
  const sdl = tenant ? await house.contract() : await house.contractAsPublished();
  const schema = buildSchema(sdl);
  const connections = Object.values(schema.getQueryType().getFields())
    .filter((f) => getNamedType(f.type).name.endsWith('Connection') && f.args.some((a) => a.name === 'first') && !f.args.some((a) => isNonNullType(a.type)))
    .map((f) => f.name);
  const nodes = schema.getPossibleTypes(schema.getType('Node')).filter(isObjectType).map((t) => t.name);
  const extensions = nodes
    .map((name) => [name, getNamedType(schema.getType(name).getFields().extension?.type)])
    .filter(([, type]) => isObjectType(type));
  fs.mkdirSync(path.join(folder, 'src'));
  fs.writeFileSync(path.join(folder, 'relay.config.json'), JSON.stringify(config));
  fs.writeFileSync(path.join(folder, 'schema.graphql'), sdl);
  fs.writeFileSync(path.join(folder, 'persisted_queries.json'), '{}'); // the compiler adds to it
  fs.writeFileSync(path.join(folder, 'src/ops.js'), [...connections.map(pages), ...nodes.map(refetches), ...extensions.map((e) => extended(...e)), ...(tenant ? [permits] : [])].join('\n'));
  await sheet.check(`${connections.length} connections are paged through, ${nodes.length} types of nodes fetched again, ${extensions.length} read with their extension`, async () => {
    so(connections.includes('cases') && nodes.includes('Case'), 'the contract has no cases');
    so(extensions.length > 0 === Boolean(tenant), `${extensions.length} types are extended`);
    try {
      execFileSync(process.execPath, [compiler], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    } catch (e) {
      throw new Error(e.stdout + e.stderr);
    }
    const made = fs.readdirSync(path.join(folder, 'src/__generated__')).length;
    so(made >= 2 * (connections.length + nodes.length + extensions.length), `only ${made} artefacts`);
  });
  await sheet.check('the house takes the manifest', async () => house.examineManifest(path.join(folder, 'persisted_queries.json'), tenant));
}
