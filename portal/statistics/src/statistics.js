// SPDX-License-Identifier: EUPL-1.2

// The page: who is asking, about which area and period, and a section for each view.
import { principals, tokenOf } from '../../explorer/src/door.js';
import { figures, scopes } from './figures.js';
import { choice, element } from './page.js';
import './statistics.css';
import { show, views } from './views.js';
import { language, languages, monthName, say, speak } from './words.js';

const chosen = 'ozg:principal'; // remembers a name over a reload, never a token

// What the page knows. It is drawn anew from this whenever something of it changes.
const state = { people: [], person: '', token: '', areas: [], area: '', from: monthBefore(12), to: monthBefore(1), status: 'nobody', problem: '', sections: [] };
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
    element('h1', {}, `OZG-Cloud ${say('title')}`),
    signIn(),
    marked('language', choice(say('language'), languages, language(), (tag) => { speak(tag); draw(); })),
    ...(state.areas.length > 0 ? [question()] : []),
    element('p', { role: 'status' }, say(state.status)),
    element('p', { role: 'alert' }, state.problem),
  );
  document.getElementById('figures').replaceChildren(...state.sections.map(([view, answer, from, to]) => show(view, answer, from === to ? monthName(to, 'long') : `${monthName(from, 'long')} – ${monthName(to, 'long')}`)));
  if (focused) document.querySelector(`[data-name="${focused}"] :is(select, input, button)`)?.focus();
}

// marked names a control, so that it keeps the focus when the page is drawn anew.
function marked(name, label) {
  label.dataset.name = name;
  return label;
}

function signIn() {
  return element(
    'form', { onsubmit: submit },
    state.people.length > 0 ? marked('person', choice(say('person'), [...state.people.map((p) => [p.name, `${p.name} – ${p.description}`]), ['', say('own')]], state.person, (name) => { state.person = name; draw(); })) : null,
    state.person === '' ? marked('token', element('label', {}, element('span', {}, say('token')), element('input', { name: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true }))) : null,
    marked('signIn', element('span', {}, element('button', {}, say('signIn')))),
  );

  function submit(event) {
    event.preventDefault();
    const field = event.target.elements.token;
    const pasted = field?.value.trim().replace(/^bearer\s+/i, '') ?? '';
    enter(state.person, pasted);
  }
}

async function enter(person, pasted) {
  const mine = ++turn;
  Object.assign(state, { problem: '', sections: [], areas: [], status: 'loading' });
  try {
    const token = person ? await tokenOf(person) : pasted;
    const areas = await scopes(token, language());
    if (mine !== turn) return;
    sessionStorage.setItem(chosen, person);
    Object.assign(state, { token, areas, area: areas[0]?.id ?? '', status: areas.length > 0 ? 'loading' : 'nothing' });
    if (areas.length > 0) await look();
    else draw();
  } catch {
    if (mine !== turn) return;
    Object.assign(state, { status: 'nobody', problem: say('signInFailed') });
    draw();
  }
}

function question() {
  const names = months.map((m) => [m, monthName(m, 'long')]);
  return element(
    'form', { onsubmit: (event) => { event.preventDefault(); look(); } },
    marked('scope', choice(say('scope'), state.areas.map((a) => [a.id, a.name]), state.area, (v) => { state.area = v; })),
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
  const area = state.areas.find((a) => a.id === state.area);
  const answers = await Promise.allSettled(views.map((v) => figures(state.token, { ...v.question, area, from: v.question.lastMonth ? state.to : state.from, to: state.to }, language())));
  if (mine !== turn) return;
  state.sections = answers.flatMap((a, i) => (a.status === 'fulfilled' ? [[views[i], a.value, views[i].question.lastMonth ? state.to : state.from, state.to]] : []));
  state.problem = answers.flatMap((a, i) => (a.status === 'rejected' ? [`${say(views[i].name)}: ${a.reason?.message || say('failed')}`] : [])).join(' ');
  state.status = 'shown';
  draw();
}

draw();
state.people = await principals().catch(() => []);
const last = state.people.find((p) => p.name === sessionStorage.getItem(chosen));
state.person = (last ?? state.people[0])?.name ?? '';
draw();
if (last) await enter(last.name);
