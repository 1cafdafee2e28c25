// SPDX-License-Identifier: EUPL-1.2
// Follows docs/balkone.md from a definition to TypeScript: every file and request is taken from the page.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { same, so } from '../sheet.mjs';

const require = createRequire(import.meta.url);
const page = fs.readFileSync(path.join(import.meta.dirname, '../../docs/balkone.md'), 'utf8');

/** A file of the page, by the name in its first line. */
function file(name) {
  const found = new RegExp('```\\w+\\n(?:#|//) ' + name.replace('.', '\\.') + '\\n([^]*?)```').exec(page);
  if (!found) throw new Error(`the page has no ${name}`);
  return found[1];
}

/** Runs a command of the page in the folder, and gives what it says where it fails. */
function fails(folder, program, options) {
  try {
    execFileSync(process.execPath, [program, ...options], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (e) {
    return e.stdout + e.stderr || String(e);
  }
}

const command = (name) => new RegExp(`^    npx ${name} (.*)$`, 'm').exec(page)[1].split(' ');
const generates = (folder) => fails(folder, path.join(import.meta.dirname, '../node_modules/@graphql-codegen/cli/esm/bin.js'), command('graphql-codegen'));
const compiles = (folder) => fails(folder, require.resolve('typescript/bin/tsc'), command('tsc'));

export default async function balkone(house, sheet, folder, tenant) {
  const admin = await house.as(`${tenant}-admin`);
  const known = await admin.ask(file('look.graphql'));
  const { version } = known.extensionDefinitions.nodes[0];
  const input = { tenantId: known.tenant.id, sdl: file('bau.graphql'), expectedVersion: version };

  await sheet.check('the dry run tells what changes', async () => {
    const { extensionDefinition, changes, documents, problems } = (await admin.ask(file('define.graphql'), { in: { ...input, dryRun: true } })).defineExtension;
    same([extensionDefinition, documents, problems], [null, [], []], 'beside the changes');
    so(page.includes(JSON.stringify(changes[0]).replaceAll(/([:,])/g, '$1 ')) && changes.length === 1, `not as on the page: ${JSON.stringify(changes)}`);
  });

  await sheet.check('the definition comes into force', async () => {
    const made = (await admin.ask(file('define.graphql'), { in: input })).defineExtension;
    same([made.problems, made.extensionDefinition.version], [[], version + 1], 'the draft');
    const { extensionDefinition: now, problems } = (
      await admin.ask(file('activate.graphql'), { in: { extensionDefinitionId: made.extensionDefinition.id } })
    ).activateExtension;
    same([problems, now.state], [[], 'ACTIVE'], 'the version');
    for (let there = false; !there; ) {
      there = (await house.contractAsPublished(tenant)).includes('denkmal: Boolean'); // the check ends by itself after ten seconds
    }
  });

  await sheet.check('a caseworker writes a value', async () => {
    const { id, revision } = (await house.ask('{ cases(first: 1, where: {state: [NEW]}) { nodes { id revision } } }')).cases.nodes[0];
    const extension = { bauart: 'UMBAU', denkmal: true, bauteile: [{ bezeichnung: 'Dach', flaeche: 80 }] };
    const { case: written, problems } = (await house.ask(file('write.graphql'), { in: { caseId: id, expectedRevision: revision, extension } })).setCaseExtension;
    same([problems, written.extension], [[], extension], 'what was written');
  });

  fs.writeFileSync(path.join(folder, 'schema.graphql'), house.console('schema', 'print', '--tenant', tenant));
  fs.writeFileSync(path.join(folder, 'codegen.ts'), file('codegen.ts'));
  fs.mkdirSync(path.join(folder, 'src'));
  const source = path.join(folder, 'src/cases.ts');
  const typescript = file('src/cases.ts');
  fs.writeFileSync(source, typescript);
  sheet.note('graphql-codegen takes it', ...holds(generates(folder)));
  sheet.note('tsc takes what comes of it', ...holds(compiles(folder)));

  await sheet.check('its documents are loaded, and asked by their hash where they are at home', async () => {
    const manifest = path.join(folder, 'src/gql/persisted-documents.json');
    const [hash] = Object.keys(JSON.parse(fs.readFileSync(manifest, 'utf8')));
    house.console('documents', 'load', '--client', 'example', '--tenant', tenant, manifest);
    const asked = async (who) => {
      const body = JSON.stringify({ documentId: hash, variables: { where: { extension: { denkmal: { eq: true }, bauart: { in: ['ANBAU', 'UMBAU'] } } } } });
      return (await who.fetch(house.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
    };
    let answer = {};
    while (!answer.data) answer = await asked(house);
    same(answer.data.cases.nodes.map((c) => c.extension.bauteile), [[{ bezeichnung: 'Dach', flaeche: 80 }]], 'what is found');
    for (const name of ['muenchen-caseworker', 'kiel-applicant']) {
      same((await asked(await house.as(name))).errors.map((e) => e.extensions.rule), ['unknownDocument'], name);
    }
  });

  fs.writeFileSync(source, typescript.replace("'ANBAU'", "'LUFTSCHLOSS'"));
  so(!generates(folder), 'a value is the affair of the compiler');
  const wrong = compiles(folder);
  sheet.note('tsc refuses a value that is none of the enum', wrong.includes('LUFTSCHLOSS'), wrong);
  fs.writeFileSync(source, typescript.replace('bauart denkmal', 'flurnummer'));
  sheet.note('graphql-codegen refuses a field that is not of the tenant', generates(folder) !== '', 'it does not');
}

const holds = (complaint) => [complaint === '', complaint];
