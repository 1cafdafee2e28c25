// SPDX-License-Identifier: EUPL-1.2

// What the page says, in German and English.

const words = {
  title: ['Zahlen', 'Figures'],
  language: ['Sprache', 'Language'],
  person: ['Demo-Zugang', 'Demo account'],
  own: ['eigenes Token', 'own token'],
  token: ['Token', 'Token'],
  signIn: ['Anmelden', 'Sign in'],
  signInFailed: ['Die Anmeldung hat nicht geklappt.', 'Signing in did not work.'],
  nobody: ['Nicht angemeldet: Zahlen zeigt das Haus nur, wer sie sehen darf.', 'Not signed in: the house shows figures to those who may see them.'],
  nothing: ['Mit diesem Konto sind keine Zahlen zu sehen.', 'There are no figures for this account.'],
  scope: ['Gebiet', 'Area'],
  from: ['von', 'from'],
  to: ['bis', 'to'],
  show: ['Anzeigen', 'Show'],
  loading: ['Zahlen werden geholt …', 'Getting figures …'],
  shown: ['Zahlen werden angezeigt.', 'Figures are shown.'],
  failed: ['Das ging nicht.', 'This did not work.'],
  none: ['keine Angabe', 'not told'],
  margin: ['In 95 von 100 Fällen ist die wahre Zahl höchstens um ± entfernt', 'In 95 of 100 cases the true number is at most ± away'],
  month: ['Monat', 'Month'],
  service: ['Leistung', 'Service'],
  state: ['Zustand', 'State'],
  land: ['Land', 'Land'],
  number: ['Anzahl', 'Number'],
  median: ['Median', 'Median'],
  p90: ['90. Perzentil', '90th percentile'],
  days: ['Tage', 'days'],
  table: ['Tabelle', 'Table'],
  exact: ['Genaue Zahlen des eigenen Bereichs', 'Exact figures of your own area'],
  protected: [
    'Geschützte Zahlen: sie weichen zufällig ab, damit niemand erkannt wird; 1 und 2 werden nie genannt',
    'Protected figures: they deviate at random, so that nobody is recognised; 1 and 2 are never told',
  ],
  asOf: ['Stand', 'as of'],
  suppressed: ['zurückgehalten, weil zu wenige Fälle', 'held back, because there are too few cases'],
  missing: ['Es fehlen', 'Missing'],
  applications: ['Anträge nach Monat', 'Applications by month'],
  duration: ['Zeit bis zur Entscheidung', 'Time to decision'],
  services: ['Anträge nach Leistung', 'Applications by service'],
  backlog: ['Offene Vorgänge nach Zustand', 'Open cases by state'],
  map: ['Anträge nach Land', 'Applications by Land'],
  rest: ['Das Bild zeigt die zwölf größten, die Tabelle alle.', 'The picture shows the twelve largest, the table all.'],
  mapNote: ['Jedes Land ist ein Feld von gleicher Größe, ungefähr dort, wo es liegt.', 'Each Land is a field of the same size, about where it lies.'],
  NEW: ['Neu', 'New'],
  ACCEPTED: ['Angenommen', 'Accepted'],
  IN_PROGRESS: ['In Bearbeitung', 'In progress'],
  WAITING_FOR_APPLICANT: ['Rückfrage', 'Waiting for applicant'],
  FORWARDED: ['Weitergeleitet', 'Forwarded'],
};

let german = !/^en\b/.test(navigator.language);

export const languages = [['de', 'Deutsch'], ['en', 'English']];

export function language() {
  return german ? 'de' : 'en';
}

export function speak(tag) {
  german = tag !== 'en';
  document.documentElement.lang = tag;
  document.title = `OZG-Cloud ${say('title')}`;
}

// say gives the words of a name; a name without words stands for itself.
export function say(name) {
  return words[name]?.[german ? 0 : 1] ?? name;
}

export function number(value, digits = 0) {
  return value === undefined || value === null ? say('none') : value.toLocaleString(german ? 'de-DE' : 'en-GB', { maximumFractionDigits: digits });
}

export function instant(text) {
  return new Date(text).toLocaleString(german ? 'de-DE' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Europe/Berlin' });
}

// monthName names a month, "2026-10".
export function monthName(text, month = 'short') {
  return new Date(`${text}-01T00:00:00Z`).toLocaleDateString(german ? 'de-DE' : 'en-GB', { month, year: 'numeric', timeZone: 'UTC' });
}
