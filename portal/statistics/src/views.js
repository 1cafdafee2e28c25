// SPDX-License-Identifier: EUPL-1.2

// What is asked for each picture, and how its answer becomes rows of picture and table.
import { bars, durations, land, months, tiles } from './charts.js';
import { element } from './page.js';
import { instant, monthName, number, say } from './words.js';

const days = (minutes) => (minutes === undefined || minutes === null ? undefined : minutes / 60 / 24);
const count = (f) => ({ count: f.count, margin: f.margin });
const told = (r) => (r.margin > 0 ? `${number(r.count)} ± ${number(r.margin)}` : number(r.count));
const byCount = (rows) => rows.toSorted((a, b) => b.count - a.count);

// The views: question is what stands beside scope and period; rows reads an answer; columns are those of the table, the first one being the head of
// each row.
export const views = [
  {
    name: 'applications',
    question: { by: ['month'], measures: ['applications'] },
    rows: (answer) => answer.rows.map((r) => ({ month: r.at.month, ...count(r.figures.applications) })),
    picture: months,
    columns: [['month', (r) => monthName(r.month, 'long')], ['number', told]],
  },
  {
    name: 'duration',
    question: { by: ['month'], measures: ['timeToDecision'] },
    rows: (answer) => answer.rows.map((r) => ({ month: r.at.month, median: days(r.figures.timeToDecision.median), p90: days(r.figures.timeToDecision.p90) })),
    picture: durations,
    unit: 'days',
    columns: [['month', (r) => monthName(r.month, 'long')], ['median', (r) => number(r.median, 1)], ['p90', (r) => number(r.p90, 1)]],
  },
  {
    name: 'services',
    question: { by: ['service'], measures: ['applications'], lastMonth: true },
    rows: (answer) => byCount(answer.rows.map((r) => ({ name: r.labels.service ?? r.at.service, ...count(r.figures.applications) }))),
    picture: bars,
    note: 'rest',
    columns: [['service', (r) => r.name], ['number', told]],
  },
  {
    name: 'backlog',
    question: { by: ['state'], measures: ['open'], lastMonth: true },
    rows: (answer) => byCount(answer.rows.map((r) => ({ name: say(r.at.state), ...count(r.figures.open) }))),
    picture: bars,
    columns: [['state', (r) => r.name], ['number', told]],
  },
  {
    name: 'map',
    question: { by: ['land'], measures: ['applications'], lastMonth: true, everywhere: true },
    rows: (answer) => answer.rows.map((r) => ({ key: r.key, name: r.labels.land ?? tiles[r.key]?.[0], ...count(r.figures.applications) })),
    picture: land,
    note: 'mapNote',
    columns: [['land', (r) => r.name], ['number', told]],
  },
];

// show makes a section of a view: picture and table side by side, and how its figures came about.
export function show(view, answer, period) {
  const rows = view.rows(answer);
  const id = `view-${view.name}`;
  const name = `${say(view.name)}, ${period}`;
  return element(
    'section', { 'aria-labelledby': id },
    element('h2', { id }, name),
    rows.length === 0
      ? element('p', {}, say('none'))
      : element(
        'div', { class: 'pair' },
        element('figure', {}, view.picture(rows, name), element('figcaption', {}, [view.note && say(view.note)].filter(Boolean).join(' '))),
        table(view, rows, name),
      ),
    element('p', { class: 'source' }, source(answer)),
  );
}

function table(view, rows, name) {
  const [head, ...others] = view.columns;
  const unit = view.unit ? ` (${say(view.unit)})` : '';
  return element(
    'div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': `${say('table')}: ${name}` },
    element(
      'table', {},
      element('caption', {}, `${say('table')}: ${name}`),
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, say(head[0])), ...others.map(([n]) => element('th', { scope: 'col' }, say(n) + unit)))),
      element('tbody', {}, ...rows.map((r) => element('tr', {}, element('th', { scope: 'row' }, head[1](r)), ...others.map(([, of]) => element('td', {}, of(r)))))),
    ),
  );
}

// source says which product the figures are, up to when was counted, and what is not in them.
function source(answer) {
  const parts = [`${say(answer.product === 'EXACT' ? 'exact' : 'protected')}. ${say('asOf')}: ${instant(answer.asOf)}.`];
  if (answer.product !== 'EXACT') parts.push(`${say('margin')}.`);
  if (answer.disclosure?.suppressed > 0) parts.push(`${number(answer.disclosure.suppressed)} ${say('suppressed')}.`);
  if (answer.missing?.length > 0) parts.push(`${say('missing')}: ${answer.missing.map((m) => `${m.member} (${m.reason})`).join(', ')}.`);
  return parts.join(' ');
}
