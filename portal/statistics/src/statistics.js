// SPDX-License-Identifier: EUPL-1.2

// The page: who is asking, about which area and period, and a section for each view.
import { principals, tokenOf } from '../../explorer/src/door.js';
import { areas, figures, file } from './figures.js';
import { choice, element } from './page.js';
import './statistics.css';
import { cards, show, views } from './views.js';
import { language, languages, monthName, say, speak } from './words.js';

const chosen = 'ozg:principal'; // remembers a name over a reload, never a token

// What the page knows. It is drawn anew from this whenever something of it changes.
const state = { people: [], person: '', token: '', areas: [], area: '', from: monthBefore(12), to: monthBefore(1), status: 'nobody', problem: '', shown: undefined };
let turn = 0; // an answer to an older question is thrown away

function monthBefore(n) {
  const [year, month] = new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Berlin' }).split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 - n, 1)).toISOString().slice(0, 7);
}

const months = Array.from({ length: 36 }, (_, i) => monthBefore(i + 1)).reverse();

function draw() {
  speak(language());
  const focused = document.activeElement?.closest('[data-name]')?.dataset.name;
  document.getElementById('bar').replaceChildren(
    element('div', { class: 'title' }, element('p', { class: 'house' }, 'OZG-Cloud'), element('h1', {}, say('title'))),
    signIn(),
    marked('language', choice(say('language'), languages, language(), (tag) => { speak(tag); draw(); })),
  );
  const { shown } = state;
  document.getElementById('figures').replaceChildren(
    ...(state.areas.length > 0 ? [question()] : []),
    element('p', { role: 'status', ...(shown && state.status === 'shown' && { class: 'unseen' }) }, say(state.status)),
    element('p', { role: 'alert' }, state.problem),
    ...(shown ? [cards(shown.answers, shown.known), ...shown.answers.map((a) => show(a.view, a.answer, { ...shown.known, period: spell(shown.known) }, save)), explained()].filter(Boolean) : []),
  );
  if (focused) document.querySelector(`[data-name="${focused}"] :is(select, input, button)`)?.focus();
}

function spell({ from, to }) {
  return from === to ? monthName(to, 'long') : `${monthName(from, 'long')} – ${monthName(to, 'long')}`;
}

// marked names a control, so that it keeps the focus when the page is drawn anew.
function marked(name, label) {
  label.dataset.name = name;
  return label;
}

function signIn() {
  return element(
    'form', { onsubmit: submit },
    state.people.length > 0 ? marked('person', choice(say('person'), [...state.people.map((p) => [p.name, p.description]), ['', say('own')]], state.person, (name) => { state.person = name; draw(); })) : null,
    state.person === '' ? marked('token', element('label', {}, element('span', {}, say('token')), element('input', { name: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true }))) : null,
    marked('signIn', element('span', {}, element('button', {}, say('signIn')))),
  );

  function submit(event) {
    event.preventDefault();
    const field = event.target.elements.token;
    enter(state.person, field?.value.trim().replace(/^bearer\s+/i, '') ?? '');
  }
}

async function enter(person, pasted) {
  const mine = ++turn;
  Object.assign(state, { problem: '', shown: undefined, areas: [], status: 'loading' });
  try {
    const token = person ? await tokenOf(person) : pasted;
    const all = await areas(token, language());
    if (mine !== turn) return;
    sessionStorage.setItem(chosen, person);
    Object.assign(state, { token, areas: all, area: all[0]?.slug ?? '', status: all.length > 0 ? 'loading' : 'nothing' });
    if (all.length > 0) await look();
    else draw();
  } catch {
    if (mine !== turn) return;
    Object.assign(state, { status: 'nobody', problem: say('signInFailed') });
    draw();
  }
}

function question() {
  const names = months.map((m) => [m, monthName(m, 'long')]);
  const of = (product) => state.areas.filter((a) => a.product === product).map((a) => [a.slug, a.name]);
  const groups = [[say('ownAreas'), of('EXACT')], [say('otherAreas'), of('PROTECTED')]].filter(([, all]) => all.length > 0);
  return element(
    'form', { class: 'question', 'aria-label': say('question'), onsubmit: (event) => { event.preventDefault(); look(); } },
    marked('scope', choice(say('scope'), groups, state.area, (v) => { state.area = v; })),
    marked('from', choice(say('from'), names, state.from, (v) => { state.from = v; })),
    marked('to', choice(say('to'), names, state.to, (v) => { state.to = v; })),
    marked('show', element('span', {}, element('button', {}, say('show')))),
  );
}

// look asks for every view at once. A view that is refused says so; the others stand.
async function look() {
  const mine = ++turn;
  if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
  Object.assign(state, { problem: '', status: 'loading' });
  draw();
  const { from, to } = state;
  const known = {
    from, to,
    months: months.filter((m) => m >= from && m <= to),
    area: state.areas.find((a) => a.slug === state.area),
    lands: state.areas.filter((a) => a.kind === 'LAND'),
    everywhere: state.areas.find((a) => a.kind === 'FEDERATION')?.product ?? 'PROTECTED',
  };
  const asked = views.map((view) => ({ view, question: view.question(known) })).filter(({ view, question: q }) => q || !view.silent);
  const answers = await Promise.allSettled(asked.map(({ question: q }) => (q ? figures(state.token, q, language()) : undefined)));
  if (mine !== turn) return;
  state.shown = { known, answers: asked.flatMap(({ view, question: q }, i) => (answers[i].status === 'fulfilled' ? [{ view, question: q, answer: answers[i].value }] : [])) };
  state.problem = answers.flatMap((a, i) => (a.status === 'rejected' ? [`${say(asked[i].view.name)}: ${a.reason?.message || say('failed')}`] : [])).join(' ');
  state.status = 'shown';
  draw();
}

// save fetches the table of a view as a file.
async function save(view) {
  const { question: q } = state.shown.answers.find((a) => a.view === view);
  try {
    const link = element('a', { href: URL.createObjectURL(await file(state.token, q, language())), download: `${say(view.name)} ${q.scope} ${q.from}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    state.problem = '';
  } catch (e) {
    state.problem = e.message || say('failed');
  }
  document.querySelector('[role=alert]').textContent = state.problem;
}

// explained says how the figures are to be read.
function explained() {
  const pairs = ['exact', 'protected', 'margin', 'signs'];
  return element(
    'section', { 'aria-labelledby': 'explained', class: 'explained' },
    element('h2', { id: 'explained' }, say('explained')),
    element('dl', {}, ...pairs.flatMap((p) => [element('dt', {}, say(`${p}Term`)), element('dd', {}, say(`${p}Meaning`))])),
  );
}

draw();
state.people = await principals().catch(() => []);
const last = state.people.find((p) => p.name === sessionStorage.getItem(chosen));
state.person = (last ?? state.people.find((p) => p.name.endsWith('-analyst')) ?? state.people[0])?.name ?? '';
draw();
if (last) await enter(last.name);
let wide = innerWidth >= 640; // pictures are drawn for one of two widths
addEventListener('resize', () => { if (wide !== innerWidth >= 640) { wide = !wide; draw(); } });
