// SPDX-License-Identifier: EUPL-1.2

// What is asked for each part of the page, and how its answer becomes numbers, picture and table.
import { bars, durations, flow, land, shades, tiles } from './charts.js';
import { element, unseen } from './page.js';
import { instant, monthName, number, say } from './words.js';

const days = (minutes) => (minutes === undefined || minutes === null ? undefined : minutes / 60 / 24);
const byCount = (rows) => rows.toSorted((a, b) => b.count - a.count);
const finer = { FEDERATION: 'LAND', LAND: 'DISTRICT', DISTRICT: 'AUTHORITY' };
const nothing = { count: 0, margin: 0 };

// told writes a number with its margin.
const told = (f) => (f.margin > 0 && f.count > 0 ? [number(f.count), element('span', { class: 'margin' }, ` ± ${number(Math.ceil(f.margin))}`)] : [f.count === 0 ? sign('–', 'nothingThere') : number(f.count)]);
const length = (value) => [value === undefined ? sign('/', 'heldBack') : number(value, 1)];

// sign is one of the signs of official statistics, with what it means for those who hear it.
function sign(text, meaning) {
  return element('span', {}, element('span', { 'aria-hidden': 'true', title: say(meaning) }, text), unseen(say(meaning)));
}

// summed adds up the months of each value of an axis; deviations do not add up, but their squares do.
function summed(answer, axis, measure) {
  const out = new Map();
  for (const r of answer.rows) {
    const f = r.of[measure];
    const is = out.get(r.at[axis]) ?? { count: 0, margin: 0 };
    out.set(r.at[axis], { count: is.count + f.count, margin: Math.hypot(is.margin, f.margin) });
  }
  return [...out].map(([value, sum]) => ({ value, name: value === '' ? say('nowhere') : (answer.names.get(value) ?? value), ...sum }));
}

const durationsTold = (area) => area.product === 'EXACT' || area.kind !== 'AUTHORITY';

// The views. question says what is asked about an area, undefined where nothing is published of it; rows reads the answer; columns are those of the
// table, the first one being the head of each row.
export const views = [
  {
    name: 'flow',
    question: ({ area, from, to }) => ({ measures: ['APPLICATIONS', 'DECIDED', 'OPEN', 'FULLY_DIGITAL'], groupBy: ['MONTH'], from, to, scope: area.slug, product: area.product }),
    rows: (answer, { months }) => months.map((month) => {
      const of = answer.rows.find((r) => r.at.MONTH === month)?.of ?? {};
      return { month, applications: of.APPLICATIONS ?? nothing, decided: of.DECIDED ?? nothing, open: of.OPEN ?? nothing, digital: of.FULLY_DIGITAL };
    }),
    picture: flow,
    legend: [['first', 'bar', 'received'], ['second', 'line', 'decided']],
    columns: [['month', (r) => monthName(r.month, 'long')], ['received', (r) => told(r.applications)], ['decided', (r) => told(r.decided)], ['open', (r) => told(r.open)]],
  },
  {
    name: 'duration',
    question: ({ area, from, to }) => (durationsTold(area) ? { measures: ['TIME_TO_DECISION'], groupBy: ['MONTH'], from, to, scope: area.slug, product: area.product } : undefined),
    rows: (answer, { months }) => months.map((month) => {
      const f = answer.rows.find((r) => r.at.MONTH === month)?.of.TIME_TO_DECISION;
      return { month, median: days(f?.medianMinutes), p90: days(f?.p90Minutes) };
    }),
    picture: durations,
    empty: (rows) => rows.every((r) => r.median === undefined),
    unit: 'days',
    note: 'durationNote',
    legend: [['first', 'dot', 'median'], ['second', 'dash', 'p90']],
    columns: [['month', (r) => monthName(r.month, 'long')], ['median', (r) => length(r.median)], ['p90', (r) => length(r.p90)]],
  },
  {
    name: 'services',
    question: ({ area, from, to }) => (area.product === 'PROTECTED' && area.kind === 'AUTHORITY' ? undefined
      : { measures: ['APPLICATIONS'], groupBy: area.product === 'EXACT' ? ['SERVICE'] : ['SERVICE', 'MONTH'], from, to, scope: area.slug, product: area.product }),
    rows: (answer) => byCount(summed(answer, 'SERVICE', 'APPLICATIONS')).filter((r) => r.count > 0),
    picture: bars,
    note: 'rest',
    columns: [['service', (r) => r.name], ['received', told]],
  },
  {
    name: 'backlog',
    question: ({ area, to }) => (area.product === 'PROTECTED' && ['DISTRICT', 'AUTHORITY'].includes(area.kind) ? undefined
      : { measures: ['OPEN'], groupBy: ['STATE'], from: to, to, scope: area.slug, product: area.product }),
    period: ({ to }) => `${say('endOf')} ${monthName(to, 'long')}`,
    rows: (answer) => byCount(answer.rows.map((r) => ({ name: say(r.at.STATE), ...r.of.OPEN }))).filter((r) => r.count > 0),
    picture: bars,
    columns: [['state', (r) => r.name], ['open', told]],
  },
  {
    name: 'below',
    question: ({ area, from, to }) => (finer[area.kind] && area.kind !== 'FEDERATION'
      ? { measures: ['APPLICATIONS'], groupBy: area.product === 'EXACT' ? [finer[area.kind]] : [finer[area.kind], 'MONTH'], from, to, scope: area.slug, product: area.product } : undefined),
    silent: true,
    title: ({ area }) => say(area.kind === 'LAND' ? 'belowLand' : 'belowDistrict'),
    rows: (answer, { area }) => byCount(summed(answer, finer[area.kind], 'APPLICATIONS')).filter((r) => r.count > 0),
    picture: bars,
    note: 'rest',
    columns: [['tenant', (r) => r.name], ['received', told]],
  },
  {
    name: 'map',
    question: ({ everywhere, from, to }) => ({ measures: ['APPLICATIONS'], groupBy: everywhere === 'EXACT' ? ['LAND'] : ['LAND', 'MONTH'], from, to, scope: 'federation', product: everywhere }),
    rows: (answer, { lands, area }) => {
      const all = new Map(summed(answer, 'LAND', 'APPLICATIONS').map((r) => [r.value, r]));
      return byCount(lands.map((l) => ({ key: l.regionalKey?.slice(0, 2), own: l.slug === area.slug, ...nothing, ...all.get(l.slug), name: l.name })));
    },
    picture: land,
    note: 'mapNote',
    scale: true,
    columns: [['land', (r) => (tiles[r.key] ? `${r.name} (${tiles[r.key][0]})` : r.name)], ['received', told]],
  },
];

// cards are the key figures above everything else.
export function cards(answers, known) {
  const [flowing, lasting] = ['flow', 'duration'].map((name) => answers.find((a) => a.view.name === name)?.answer);
  if (!flowing) return undefined;
  const rows = views[0].rows(flowing, known);
  const sum = (of) => rows.reduce((n, r) => ({ count: n.count + r[of].count, margin: Math.hypot(n.margin, r[of].margin) }), nothing);
  const last = rows.at(-1);
  const digital = last.digital?.share;
  const median = lasting && views[1].rows(lasting, known).at(-1).median;
  const end = `${say('endOf')} ${monthName(last.month, 'long')}`;
  const inLast = `${say('in')} ${monthName(last.month, 'long')}`;
  return element(
    'section', { class: 'cards', 'aria-labelledby': 'cards' },
    element('h2', { id: 'cards', class: 'unseen' }, say('keyFigures')),
    element(
      'dl', {},
      card('received', say('inPeriod'), told(sum('applications'))),
      card('decided', say('inPeriod'), told(sum('decided'))),
      card('open', end, told(last.open)),
      card('medianOf', inLast, lasting ? (median === undefined ? length(undefined) : [number(median, 1), element('span', { class: 'margin' }, ` ${say('days')}`)]) : [sign('·', 'notPublished')]),
      card('digital', inLast, [digital === undefined || digital === null ? sign('/', 'heldBack') : `${number(100 * digital)} %`]),
    ),
  );

  function card(name, when, value) {
    return element('div', {}, element('dt', {}, say(name)), element('dd', { class: 'value' }, ...value), element('dd', { class: 'when' }, when));
  }
}

// show makes a section of a view: picture and table side by side, and how its figures came about. Where nothing is published of the area, it says so.
export function show(view, answer, known, save) {
  const id = `view-${view.name}`;
  const title = view.title?.(known) ?? say(view.name);
  const period = view.period?.(known) ?? known.period;
  const head = element('div', { class: 'head' }, element('h2', { id }, title), element('p', { class: 'period' }, view.name === 'map' ? `${say('allLands')}, ${period}` : `${known.area.name}, ${period}`));
  if (!answer) return element('section', { 'aria-labelledby': id }, head, element('p', { class: 'empty' }, say('notPublishedHere')));
  const rows = view.rows(answer, known);
  const name = `${title}, ${period}`;
  return element(
    'section', { 'aria-labelledby': id },
    head,
    rows.length === 0 || view.empty?.(rows)
      ? element('p', { class: 'empty' }, say(rows.length === 0 ? 'none' : 'tooFew'))
      : element('div', { class: 'pair' }, element('figure', {}, legend(view, rows), view.picture(rows, name), view.note ? element('figcaption', {}, say(view.note)) : null), table(view, rows, name)),
    element(
      'div', { class: 'foot' },
      element('p', {}, source(answer)),
      element('button', { type: 'button', class: 'quiet', id: `save-${view.name}`, 'aria-labelledby': `save-${view.name} ${id}`, onclick: () => save(view) }, say('save')),
    ),
  );
}

function legend(view, rows) {
  if (view.scale) {
    const ends = shades(rows);
    return element('ul', { class: 'legend' }, ...ends.map((end, i) => element('li', {}, element('span', { class: `key shade-${i + 1}` }), `${number(i === 0 ? 1 : ends[i - 1] + 1)}–${number(end)}`)));
  }
  return view.legend ? element('ul', { class: 'legend' }, ...view.legend.map(([colour, shape, word]) => element('li', {}, element('span', { class: `key ${shape} ${colour}` }), say(word)))) : null;
}

function table(view, rows, name) {
  const [head, ...others] = view.columns;
  const unit = view.unit ? ` (${say(view.unit)})` : '';
  return element(
    'div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': `${say('table')}: ${name}` },
    element(
      'table', {},
      element('caption', { class: 'unseen' }, name),
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, say(head[0])), ...others.map(([n]) => element('th', { scope: 'col' }, say(n) + unit)))),
      element('tbody', {}, ...rows.map((r) => element('tr', {}, element('th', { scope: 'row' }, head[1](r)), ...others.map(([, of]) => element('td', {}, ...of(r)))))),
    ),
  );
}

// source says which product the figures are, up to when was counted, and what is not in them.
function source(answer) {
  const parts = [`${say(answer.product === 'EXACT' ? 'exact' : 'protected')} ${say('asOf')} ${instant(answer.asOf)}.`];
  if (answer.suppressed > 0) parts.push(`${number(answer.suppressed)} ${say('suppressed')}.`);
  if (answer.missing?.length > 0) parts.push(`${say('missing')}: ${answer.missing.map((m) => `${m.member} (${m.reason})`).join(', ')}.`);
  return parts.join(' ');
}
