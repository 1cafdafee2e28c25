// SPDX-License-Identifier: EUPL-1.2
// graphql-eslint: its recommended rules, those of Relay, and some more that a public contract should not go without.

import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import fs from 'node:fs';
import path from 'node:path';
import { parse, print, visit } from 'graphql';

// What has no id of its own: parts of something that has one, and answers.
const parts = [
  'AccessExplanation', 'AccessGround', 'CaseCount', 'CaseEvent', 'CaseListStatistics', 'CasePermissions', 'CaseStatistics', 'Charter', 'DecisionRule', 'ExplanationStep', 'ExtensionChange', 'ExtensionValue',
  'Federation', 'FormField', 'Limits', 'MessageEvent',
  'PageInfo', '_Service', 'RoleAtTenant', 'StatisticsBin', 'StatisticsContribution', 'StatisticsFigure', 'StatisticsGap', 'StatisticsName', 'StatisticsRow', 'StatisticsSummed',
  'StreamCheckpoint', 'AnswerMeta', 'AnsweredQuestion', 'Availability', 'AvailabilityAnswer', 'Contradiction', 'Cube', 'CubeMeasure', 'DirectoryPart', 'FederatedStatistics', 'MemberAnswer', 'PublishedTable',
  'StreamGap', 'StreamRevocation', 'Viewer', 'WorkListChange',
];

const own = (added) => ({
  'input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
  'no-scalar-result-type-on-mutation': 'error',
  'require-deprecation-reason': 'error',
  'strict-id-in-types': ['error', { exceptions: { types: [...parts, ...added], suffixes: ['Connection', 'Edge', 'Payload', 'Problem'] } }],
  // The log of events is read forward only, and an event is no node.
  'relay-arguments': ['error', { includeBoth: false }],
  // Other lists than those of edges are short ones, and nodes is the short way past the edges.
  'relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }],
});

export default async function lint(house, sheet, folder, tenant) {
  const published = parse(await house.contractAsPublished(tenant));
  const standard = new Set(parse(await house.contractAsPublished()).definitions.map((d) => `${d.kind} ${d.name?.value}`));
  // What the tenant adds are parts of what it is added to.
  const added = published.definitions.filter((d) => d.kind === 'ObjectTypeDefinition' && !standard.has(`${d.kind} ${d.name.value}`)).map((d) => d.name.value);
  sheet.note(`${added.length} types are added to the standard house`, added.length > 0 === Boolean(tenant), 'none');
  const rules = {
    ...plugin.configs['flat/schema-recommended'].rules,
    ...plugin.configs['flat/schema-relay'].rules,
    ...Object.fromEntries(Object.entries(own(added)).map(([name, rule]) => [`@graphql-eslint/${name}`, rule])),
  };
  // Whether a description stands on one line or on several is the printer's affair.
  const contract = visit(published, { StringValue: (node, key) => (key === 'description' ? { ...node, block: true } : undefined) });
  const text = print(contract);
  const file = `${tenant ?? 'standard'}.graphql`;
  process.env.NODE_ENV = 'test'; // else the plugin remembers the first contract of a process
  fs.writeFileSync(path.join(folder, file), text);
  process.chdir(folder); // the plugin looks for the contract from where it stands
  const eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.graphql'],
        plugins: { '@graphql-eslint': plugin },
        languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: `./${file}` } } },
        rules,
      },
    ],
  });
  const [{ messages: all }] = await eslint.lintFiles([file]);
  // Apollo Federation has these names, and ours are none of them.
  const prescribed = text.split('\n').map((line) => /\b_(Any|Entity|Service|entities|service)\b/.test(line));
  const messages = all.filter((m) => !(m.ruleId === '@graphql-eslint/naming-convention' && prescribed[m.line - 1]));
  for (const rule of Object.keys(rules).filter((name) => rules[name] !== 'off')) {
    const broken = messages.filter((m) => m.ruleId === rule);
    sheet.note(rule.replace('@graphql-eslint/', ''), broken.length === 0, broken.slice(0, 8).map((m) => `${m.line}: ${m.message}`).join('\n'));
  }
  for (const m of messages.filter((m) => !rules[m.ruleId])) sheet.note(m.ruleId ?? 'parser', false, m.message);
}
