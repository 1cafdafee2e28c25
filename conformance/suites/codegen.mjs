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
import type { CaseExtensionInput } from './gen/graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

export const Page = graphql(\`query Page($first: Int, $after: Cursor) {
  cases(first: $first, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}\`);
export const Permits = graphql(\`query Permits($where: CaseExtensionFilter) {
  cases(first: 10, where: { extension: $where }) { nodes { extension { flurstueck bauart bauteile { bezeichnung flaeche } } } }
}\`);
export const Fill = graphql(\`mutation Fill($input: SetCaseExtensionInput!) {
  setCaseExtension(input: $input) { case { id revision } problems { ... on Problem { title } } }
}\`);
export const fields: CaseExtensionInput = { bauart: 'UMBAU', flurstueck: null };
export const area = (r: ResultOf<typeof Permits>): number =>
  (r.cases?.nodes ?? []).flatMap((c) => c.extension?.bauteile ?? []).reduce((sum, part) => sum + (part.flaeche ?? 0), 0);
type ResultOf<T> = T extends TypedDocumentNode<infer R, any> ? R : never;
export const end = (r: ResultOf<typeof Page>): string | null | undefined => r.cases.pageInfo.endCursor;
`;

// The field as another Land has it: a number there, a text here.
const foreign = 'import { graphql } from \'./gen\';\nexport const Other = graphql(`query Other { cases(first: 1, where: { extension: { flurstueck: { gte: 800 } } }) { totalCount } }`);\n';

export default async function codegen(house, sheet, folder) {
  const [schema, source, gen] = ['schema.graphql', 'op.ts', 'gen/'].map((name) => path.join(folder, name));
  fs.writeFileSync(schema, await house.contract());
  fs.writeFileSync(source, operation);
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
  await sheet.check('the client preset prints types and documents, of what the tenant adds as well', () => print([source], gen));
  await sheet.check('a document for the field of the same name of another Land is refused', async () => {
    const other = path.join(folder, 'other.ts');
    fs.writeFileSync(other, foreign);
    so(await print([other], path.join(folder, 'other/')).then(() => false, () => true), 'it is printed');
  });
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
    same(ids.length, 3, 'documents');
    so(/^(sha256:)?[0-9a-f]{64}$/.test(ids[0]), 'no sha256');
  });
  await sheet.check('the house takes the manifest', async () => house.examineManifest(manifest));
}
