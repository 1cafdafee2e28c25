// SPDX-License-Identifier: EUPL-1.2

// What the page asks of the house, in the words of its contract.
import { ask } from '../../explorer/src/door.js';

const reads = ['TENANT_ADMIN', 'LAND_ANALYST']; // whose figures are exact

const AREAS = `query Areas {
  viewer { roles { role tenant { slug name kind regionalKey children(first: 100, orderBy: [{field: NAME, direction: ASC}]) { nodes { slug name kind regionalKey } } } } }
  tenants(first: 100, where: {kind: [FEDERATION, LAND]}, orderBy: [{field: NAME, direction: ASC}]) { nodes { slug name kind regionalKey } }
}`;

const FIGURES = `query Figures($scope: String!, $product: StatisticsProduct!, $measures: [StatisticsMeasure!]!, $groupBy: [StatisticsAxis!], $from: String, $to: String) {
  caseStatistics(scope: $scope, product: $product, measures: $measures, groupBy: $groupBy, from: $from, to: $to) {
    product asOf margin smallest suppressed axes missing { member reason } names { value name }
    rows { at figures { measure count margin share medianMinutes p90Minutes suppressed } }
  }
}`;

// areas are the tenants that somebody may ask about: own ones, of which figures are exact, and the others, of which they are protected. Nobody who may
// read no figures has any.
export async function areas(token, language) {
  const { viewer, tenants } = await asked(token, AREAS, {}, language);
  const mine = viewer.roles.filter((r) => reads.includes(r.role) && r.tenant).map((r) => r.tenant);
  if (mine.length === 0) return [];
  const out = new Map();
  for (const t of mine.flatMap((m) => [m, ...m.children.nodes])) out.set(t.slug, { ...t, product: 'EXACT' });
  for (const t of tenants.nodes) if (!out.has(t.slug)) out.set(t.slug, { ...t, product: 'PROTECTED' });
  return [...out.values()];
}

// figures answers a question: rows with their values by axis and their figures by measure.
export async function figures(token, question, language) {
  const { caseStatistics: told } = await asked(token, FIGURES, question, language);
  const names = new Map(told.names.map((n) => [n.value, n.name]));
  const rows = told.rows.map(({ at, figures: all }) => ({
    at: Object.fromEntries(told.axes.map((axis, i) => [axis, at[i]])),
    of: Object.fromEntries(all.map((f) => [f.measure, f])),
  }));
  return { ...told, names, rows };
}

// file answers the same question as a table (CSV).
export async function file(token, question, language) {
  const answer = await fetch('/statistics.csv', {
    method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'Accept-Language': language }, body: JSON.stringify(question),
  });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).title ?? `HTTP ${answer.status}`);
  return answer.blob();
}

async function asked(token, query, variables, language) {
  const { data, errors } = await ask(token, { query, variables }, { 'Accept-Language': language });
  if (errors?.length > 0) throw Object.assign(new Error(errors[0].message), { rule: errors[0].extensions?.rule });
  return data;
}
