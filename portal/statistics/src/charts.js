// SPDX-License-Identifier: EUPL-1.2

// The pictures. None says anything that its table does not say: a screen reader hears a picture's name and reads the table.
import * as Plot from '@observablehq/plot';
import { monthName, number, say } from './words.js';

const blue = 'var(--first)';
const orange = 'var(--second)';

// frame is what all pictures have; on a narrow page they are drawn narrow, so that their text stays readable.
function frame() {
  const narrow = innerWidth < 640;
  return { narrow, className: 'plot', width: narrow ? 300 : 680, style: { fontSize: '14px', background: 'none' } };
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

// flow draws what came in as bars and what was decided as a line; the thin lines are margins.
export function flow(rows, name) {
  const { narrow, ...shared } = frame();
  const month = (r) => monthName(r.month);
  const margin = (of, dx, stroke) => Plot.ruleX(rows.filter((r) => r[of].margin > 0 && r[of].count > 0), {
    x: month, dx, stroke, strokeWidth: 1.5, y1: (r) => Math.max(0, r[of].count - r[of].margin), y2: (r) => r[of].count + r[of].margin,
  });
  return named(Plot.plot({
    ...shared,
    height: 300,
    marginLeft: 56,
    marginBottom: 48,
    x: { type: 'band', padding: 0.25, ...along(rows, narrow) },
    y: { label: null, grid: true, zero: true, nice: true, ticks: 5, tickFormat: (n) => number(n) },
    marks: [
      Plot.barY(rows, { x: month, y: (r) => r.applications.count, fill: blue, rx1: 2 }),
      margin('applications', -4, 'currentColor'),
      Plot.lineY(rows, { x: month, y: (r) => r.decided.count, stroke: 'var(--paper)', strokeWidth: 6 }),
      Plot.lineY(rows, { x: month, y: (r) => r.decided.count, stroke: orange, strokeWidth: 2.5 }),
      Plot.dot(rows, { x: month, y: (r) => r.decided.count, fill: orange, stroke: 'var(--paper)', r: 4.5 }),
      margin('decided', 4, orange),
      Plot.ruleY([0]),
    ],
  }), name);
}

// durations draws median and 90th percentile, told apart by colour, dash and symbol. A line breaks where nothing is told.
export function durations(rows, name) {
  const { narrow, ...shared } = frame();
  const line = (kind, stroke, symbol, strokeDasharray) => {
    const points = rows.map((r) => ({ month: monthName(r.month), days: r[kind] }));
    return [
      Plot.lineY(points, { x: 'month', y: 'days', stroke, strokeWidth: 2.5, strokeDasharray }),
      Plot.dot(points.filter((p) => p.days !== undefined), { x: 'month', y: 'days', fill: stroke, symbol, r: 4.5 }),
    ];
  };
  return named(Plot.plot({
    ...shared,
    height: 300,
    marginLeft: 56,
    marginBottom: 48,
    x: { type: 'point', ...along(rows, narrow) },
    y: { label: null, grid: true, zero: true, nice: true, ticks: 5, tickFormat: (n) => number(n) },
    marks: [...line('p90', orange, 'square', '7 4'), ...line('median', blue, 'circle'), Plot.ruleY([0])],
  }), name);
}

// words breaks a name into two lines at most.
function words(name, longest) {
  if (name.length <= longest) return name;
  const at = name.lastIndexOf(' ', longest);
  const first = at > 0 ? name.slice(0, at) : name.slice(0, longest);
  const rest = name.slice(first.length).trim();
  return `${first}\n${rest.length > longest ? `${rest.slice(0, longest - 1)}…` : rest}`;
}

// bars draws the twelve largest, the largest first.
export function bars(rows, name) {
  const { narrow, ...shared } = frame();
  const few = rows.slice(0, 12);
  const longest = narrow ? 18 : 26;
  return named(Plot.plot({
    ...shared,
    height: 16 + 38 * few.length,
    marginTop: 4,
    marginBottom: 12,
    ...(narrow && { style: { fontSize: '12px', background: 'none' } }),
    marginLeft: narrow ? 128 : 230,
    marginRight: narrow ? 48 : 64,
    x: { axis: null, nice: true },
    y: { label: null, domain: few.map((r) => r.name), padding: 0.3, tickSize: 0, tickFormat: (n) => words(n, longest) },
    marks: [
      Plot.barX(few, { y: 'name', x: 'count', fill: blue, rx2: 2 }),
      Plot.text(few, { y: 'name', x: 'count', text: (r) => number(r.count), dx: 6, textAnchor: 'start' }),
      Plot.ruleX([0]),
    ],
  }), name);
}

// The sixteen Länder by the first two digits of their key: a code, a column and a row. Each lies about where it is on a map, with its neighbours beside it.
export const tiles = {
  '01': ['SH', 2, 0], '02': ['HH', 2, 1], '03': ['NI', 1, 2], '04': ['HB', 1, 1], '05': ['NW', 0, 2], '06': ['HE', 1, 3], '07': ['RP', 0, 3], '08': ['BW', 1, 4],
  '09': ['BY', 2, 4], 10: ['SL', 0, 4], 11: ['BE', 4, 2], 12: ['BB', 3, 2], 13: ['MV', 3, 1], 14: ['SN', 3, 3], 15: ['ST', 2, 2], 16: ['TH', 2, 3],
};

// shades are the ends of the five shades of a map, from the lightest on: round numbers, so that a legend can name them. Each is about three times the one
// before, because Länder are of very different size.
export function shades(rows) {
  const most = Math.max(81, ...rows.map((r) => r.count));
  return [81, 27, 9, 3, 1].map((part) => {
    const unit = 10 ** Math.floor(Math.log10(most / part));
    return Math.ceil(most / part / unit) * unit;
  });
}

// land draws the Länder as fields of the same size. The number stands in the field.
export function land(rows, name) {
  const ends = shades(rows);
  const fields = Object.entries(tiles).map(([key, [code, x, y]]) => {
    const row = rows.find((r) => r.key === key);
    return { code, x, y, count: row?.count, shade: row?.count > 0 ? 1 + ends.findIndex((e) => row.count <= e) : 'none', own: row?.own };
  });
  const ink = (f) => `var(--on-shade-${f.shade})`;
  const { narrow, ...shared } = frame();
  return named(Plot.plot({
    ...shared,
    width: narrow ? 300 : 520,
    height: narrow ? 300 : 500,
    margin: 2,
    padding: 0.05,
    axis: null,
    x: { type: 'band', domain: [0, 1, 2, 3, 4] },
    y: { type: 'band', domain: [0, 1, 2, 3, 4] },
    marks: [
      Plot.cell(fields, { x: 'x', y: 'y', fill: (f) => `var(--shade-${f.shade})`, rx: 8 }),
      Plot.cell(fields.filter((f) => f.own), { x: 'x', y: 'y', fill: 'none', stroke: orange, strokeWidth: 4, rx: 8, inset: 1 }),
      Plot.text(fields, { x: 'x', y: 'y', text: 'code', dy: narrow ? -9 : -13, fontSize: narrow ? 16 : 22, fontWeight: 700, fill: ink }),
      Plot.text(fields, { x: 'x', y: 'y', text: (f) => (f.count > 0 ? number(f.count) : '–'), dy: narrow ? 9 : 14, fontSize: narrow ? 13 : 17, fill: ink }),
    ],
  }), name);
}
