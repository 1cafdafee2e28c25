// SPDX-License-Identifier: EUPL-1.2

// The pictures. None says anything that its table does not say: a screen reader hears a picture's name and reads the table.
import * as Plot from '@observablehq/plot';
import { monthName, number, say } from './words.js';

const blue = 'var(--first)';
const orange = 'var(--second)';

// frame is what all pictures have; on a narrow page they are drawn narrow, so that their text stays readable.
function frame() {
  const narrow = innerWidth < 640;
  return { narrow, className: 'plot', width: narrow ? 300 : 640, style: { fontSize: '14px', background: 'none' } };
}

// along is an axis of months. They are named before Plot sees them, which would take them for dates; where there is no room for all names there are
// fewer.
function along(rows, narrow) {
  const names = rows.map((r) => monthName(r.month));
  const step = Math.ceil(names.length / (narrow ? 4 : 7));
  return { domain: names, ticks: names.filter((_, i) => (names.length - 1 - i) % step === 0), label: null, tickFormat: (m) => m.replace(' ', '\n'), tickSize: 0 };
}

// named makes a picture one thing to a screen reader; the names that Plot gives its groups are not allowed on them (ARIA 1.2, 5.2.8.6).
function named(svg, name) {
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', name);
  return svg;
}

// months draws bars; the line through the end of each is its margin.
export function months(rows, name) {
  const { narrow, ...shared } = frame();
  const month = (r) => monthName(r.month);
  return named(Plot.plot({
    ...shared,
    height: 300,
    marginLeft: 60,
    marginBottom: 50,
    x: along(rows, narrow),
    y: { label: say('number'), grid: true, tickFormat: (n) => number(n) },
    marks: [
      Plot.barY(rows, { x: month, y: 'count', fill: blue }),
      Plot.ruleX(rows.filter((r) => r.margin > 0), { x: month, y1: (r) => Math.max(0, r.count - r.margin), y2: (r) => r.count + r.margin, strokeWidth: 2 }),
      Plot.ruleY([0]),
    ],
  }), name);
}

// durations draws median and 90th percentile, told apart by colour, dash and symbol.
export function durations(rows, name) {
  const { narrow, ...shared } = frame();
  const points = rows.flatMap((r) => [['median', r.median], ['p90', r.p90]]
    .map(([kind, days]) => ({ month: monthName(r.month), kind: say(kind), days })));
  const told = points.filter((p) => p.days !== undefined); // a line breaks where nothing is told
  const kinds = [say('median'), say('p90')];
  return named(Plot.plot({
    ...shared,
    height: 300,
    marginLeft: 60,
    marginRight: narrow ? 20 : 130,
    marginBottom: 50,
    x: { type: 'point', ...along(rows, narrow) },
    y: { label: say('days'), grid: true, zero: true, tickFormat: (n) => number(n) },
    color: { domain: kinds, range: [blue, orange] },
    symbol: { domain: kinds, range: ['circle', 'square'] },
    marks: [
      Plot.lineY(points.filter((p) => p.kind === kinds[0]), { x: 'month', y: 'days', stroke: blue, strokeWidth: 2 }),
      Plot.lineY(points.filter((p) => p.kind === kinds[1]), { x: 'month', y: 'days', stroke: orange, strokeWidth: 2, strokeDasharray: '6 4' }),
      Plot.dot(told, { x: 'month', y: 'days', stroke: 'kind', fill: 'kind', symbol: 'kind', r: 4 }),
      Plot.text(told, Plot.selectLast({ x: 'month', y: 'days', z: 'kind', text: 'kind', ...(narrow ? { dy: -14, textAnchor: 'end' } : { dx: 12, textAnchor: 'start' }) })),
    ],
  }), name);
}

// bars draws the largest first.
export function bars(rows, name) {
  const { narrow, ...shared } = frame();
  const few = rows.slice(0, 12);
  const longest = narrow ? 12 : 28;
  return named(Plot.plot({
    ...shared,
    height: 60 + 32 * few.length,
    marginLeft: narrow ? 115 : 250,
    marginRight: narrow ? 50 : 70,
    marginBottom: 45,
    x: { label: say('number'), grid: true, tickFormat: (n) => number(n), ticks: narrow ? 2 : 4 },
    y: { label: null, domain: few.map((r) => r.name), tickSize: 0, tickFormat: (n) => (n.length > longest ? `${n.slice(0, longest - 1)}…` : n) },
    marks: [
      Plot.barX(few, { y: 'name', x: 'count', fill: blue }),
      Plot.text(few, { y: 'name', x: 'count', text: (r) => number(r.count), dx: 6, textAnchor: 'start' }),
      Plot.ruleX([0]),
    ],
  }), name);
}

// tiles are the sixteen Länder by the first two digits of their key: a code, a column and a row.
export const tiles = {
  '01': ['SH', 2, 0], '02': ['HH', 2, 1], '03': ['NI', 1, 2], '04': ['HB', 1, 1], '05': ['NW', 0, 2], '06': ['HE', 1, 3], '07': ['RP', 0, 3], '08': ['BW', 1, 4],
  '09': ['BY', 2, 4], 10: ['SL', 0, 4], 11: ['BE', 3, 2], 12: ['BB', 4, 2], 13: ['MV', 3, 1], 14: ['SN', 3, 3], 15: ['ST', 2, 2], 16: ['TH', 2, 3],
};

// land draws the Länder as fields. Five shades; the number stands in the field.
export function land(rows, name) {
  const most = Math.max(1, ...rows.map((r) => r.count ?? 0));
  const fields = Object.entries(tiles).map(([key, [code, x, y]]) => {
    const count = rows.find((r) => r.key === key)?.count;
    return { code, x, y, count, shade: count === undefined ? 'none' : Math.min(5, 1 + Math.floor((5 * count) / (most + 1))) };
  });
  const dark = (f) => f.shade !== 'none' && f.shade >= 4;
  const { narrow, ...shared } = frame();
  return named(Plot.plot({
    ...shared,
    width: narrow ? 300 : 520,
    height: narrow ? 300 : 480,
    margin: 0,
    padding: 0.06,
    axis: null,
    x: { domain: [0, 1, 2, 3, 4] },
    y: { domain: [0, 1, 2, 3, 4] },
    marks: [
      Plot.cell(fields, { x: 'x', y: 'y', fill: (f) => `var(--shade-${f.shade})`, stroke: 'currentColor', strokeOpacity: 0.4, rx: 6 }),
      Plot.text(fields, { x: 'x', y: 'y', text: 'code', dy: narrow ? -9 : -12, fontSize: narrow ? 16 : 20, fontWeight: 'bold', fill: (f) => (dark(f) ? '#fff' : 'var(--on-shade)') }),
      Plot.text(fields, { x: 'x', y: 'y', text: (f) => (f.count === undefined ? '–' : number(f.count)), dy: narrow ? 9 : 14, fontSize: narrow ? 13 : 16, fill: (f) => (dark(f) ? '#fff' : 'var(--on-shade)') }),
    ],
  }), name);
}
