// SPDX-License-Identifier: EUPL-1.2
// graphql-codegen types the contract and an operation for TypeScript, and writes a manifest of trusted documents.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { generate } from '@graphql-codegen/cli';
import { same, so } from '../sheet.mjs';

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const operation = `import { graphql } from './gen';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

export const Page = graphql(\`query Page($first: Int, $after: Cursor) {
  cases(first: $first, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}\`);
type ResultOf<T> = T extends TypedDocumentNode<infer R, any> ? R : never;
export const end = (r: ResultOf<typeof Page>): string | null | undefined => r.cases.pageInfo.endCursor;
`;

// The same in the contract of a tenant, with what the demo data of Schleswig-Holstein add: selected, as conditions, as an order, and written.
const extended = operation
  .replace('node { id }', 'node { id extension { flurstueck bauart bauteile { bezeichnung flaeche } } }')
  .replace('$first: Int,', '$where: CaseFilter, $first: Int,')
  .replace('(first: $first,', '(where: $where, orderBy: [{extension: {flurstueck: ASC}}], first: $first,')
  .concat(`
export const Write = graphql(\`mutation Write($input: SetCaseExtensionInput!) {
  setCaseExtension(input: $input) { case { extension { bauart } } problems { ... on Problem { title } } }
}\`);
type VariablesOf<T> = T extends TypedDocumentNode<any, infer V> ? V : never;
type Extension = VariablesOf<typeof Write>['input']['extension'];
export const written: Extension = { bauart: 'UMBAU', bauteile: [{ bezeichnung: 'Dach', flaeche: 12.5 }] };
export const found: VariablesOf<typeof Page> = { where: { extension: { flurstueck: { startsWith: '12' }, bauart: { ne: 'NEUBAU' } } } };
export const areas = (r: ResultOf<typeof Page>): (number | null | undefined)[] => r.cases.edges.flatMap((e) => e.node.extension?.bauteile?.map((part) => part.flaeche) ?? []);
// @ts-expect-error a text is no number
export const parcel = (r: ResultOf<typeof Page>): number | null | undefined => r.cases.edges[0]?.node.extension?.flurstueck;
// @ts-expect-error no value of the enum
export const unknown: Extension = { bauart: 'LUFTSCHLOSS' };
// @ts-expect-error what was never defined
export const foreign: Extension = { flurnummer: 7 };
`);

// The field of the same name as another Land has it: a number there, a text here.
const foreign = `import { graphql } from './gen';
export const Other = graphql(\`query Other { cases(first: 1, where: { extension: { flurstueck: { gte: 800 } } }) { totalCount } }\`);
`;

export default async function codegen(house, sheet, folder, tenant) {
  const [schema, source, gen] = ['schema.graphql', 'op.ts', 'gen/'].map((name) => path.join(folder, name));
  fs.writeFileSync(schema, house.console('schema', 'print', ...(tenant ? ['--tenant', tenant] : [])));
  fs.writeFileSync(source, tenant ? extended : operation);
  const print = (documents, into) =>
    generate(
      {
        cwd: folder,
        silent: true,
        schema,
        documents,
        generates: {
          [into]: {
            preset: 'client',
            config: { useTypeImports: true, enumsAsTypes: true, defaultScalarType: 'string' },
            presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
          },
        },
      },
      true,
    );
  await sheet.check('the client preset prints types and documents', () => print([source], gen));
  if (tenant) {
    await sheet.check('a document for the field of the same name of another Land is refused', async () => {
      const other = path.join(folder, 'other.ts');
      fs.writeFileSync(other, foreign);
      const refused = await print([other], path.join(folder, 'other/')).then(() => '', (e) => [e, ...(e.errors ?? [])].map((each) => each.message).join(' '));
      so(refused.includes('gte'), `it is not: ${refused}`);
    });
  }
  await sheet.check('tsc --strict accepts them', async () => {
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];
    try {
      execFileSync(process.execPath, [compiler, ...options, source], { encoding: 'utf8', stdio: 'pipe' });
    } catch (e) {
      throw new Error(e.stdout);
    }
  });
  const manifest = path.join(gen, 'persisted-documents.json');
  await sheet.check('the manifest names documents by their sha256', async () => {
    const ids = Object.keys(JSON.parse(fs.readFileSync(manifest, 'utf8')));
    same(ids.length, tenant ? 2 : 1, 'documents');
    so(ids.every((id) => /^(sha256:)?[0-9a-f]{64}$/.test(id)), 'no sha256');
  });
  await sheet.check('the house takes the manifest', async () => house.examineManifest(manifest, tenant));
}
