// SPDX-License-Identifier: EUPL-1.2

// What the page says, in German and English.

const words = {
  title: ['Statistik', 'Statistics'],
  language: ['Sprache', 'Language'],
  person: ['Zugang', 'Account'],
  own: ['mit eigenem Token', 'with a token of your own'],
  token: ['Token', 'Token'],
  signIn: ['Anmelden', 'Sign in'],
  signInFailed: ['Die Anmeldung hat nicht geklappt.', 'Signing in did not work.'],
  nobody: ['Sie sind nicht angemeldet. Zahlen sieht hier, wer Statistik lesen darf.', 'You are not signed in. Figures are shown to those who may read statistics.'],
  nothing: ['Mit diesem Zugang sind keine Zahlen zu sehen.', 'There are no figures for this account.'],
  question: ['Auswahl', 'Selection'],
  scope: ['Gebiet', 'Area'],
  ownAreas: ['Eigener Bereich – genaue Zahlen', 'Own area – exact figures'],
  otherAreas: ['Andere – geschützte Zahlen', 'Others – protected figures'],
  from: ['von', 'from'],
  to: ['bis', 'to'],
  show: ['Anzeigen', 'Show'],
  loading: ['Zahlen werden geholt …', 'Getting figures …'],
  shown: ['Zahlen werden angezeigt.', 'Figures are shown.'],
  failed: ['Das ging nicht.', 'This did not work.'],
  none: ['Für diesen Zeitraum gibt es keine Zahlen.', 'There are no figures of this period.'],
  tooFew: ['In keinem Monat gab es genug Fälle, um eine Dauer zu nennen, ohne dass der Schutz sie verfälscht.', 'In no month were there enough cases to tell a duration that the protection does not distort.'],
  nowhere: ['ohne Kreis', 'without district'],
  keyFigures: ['Auf einen Blick', 'At a glance'],
  inPeriod: ['im Zeitraum', 'in the period'],
  in: ['im', 'in'],
  endOf: ['Ende', 'end of'],
  month: ['Monat', 'Month'],
  service: ['Leistung', 'Service'],
  state: ['Zustand', 'State'],
  land: ['Land', 'Land'],
  tenant: ['Gebiet', 'Area'],
  received: ['Eingänge', 'Received'],
  decided: ['Erledigungen', 'Decided'],
  open: ['Offen', 'Open'],
  digital: ['Durchgängig digital', 'Fully digital'],
  medianOf: ['Bearbeitungszeit (Median)', 'Time to decision (median)'],
  median: ['Median', 'Median'],
  p90: ['90. Perzentil', '90th percentile'],
  days: ['Tage', 'days'],
  table: ['Tabelle', 'Table'],
  save: ['Als CSV speichern', 'Save as CSV'],
  exact: ['Genaue Zahlen.', 'Exact figures.'],
  protected: ['Geschützte Zahlen.', 'Protected figures.'],
  asOf: ['Stand:', 'As of'],
  suppressed: ['Angaben zurückgehalten (/)', 'figures held back (/)'],
  missing: ['Es fehlen', 'Missing'],
  nothingThere: ['nichts vorhanden', 'nothing there'],
  heldBack: ['keine Angabe, zu wenige Fälle', 'not told, too few cases'],
  notPublished: ['wird nicht veröffentlicht', 'not published'],
  notPublishedHere: [
    'Für einzelne Kreise und Behörden anderer wird diese Tabelle nicht veröffentlicht: Sie würde zu viel über einzelne Fälle verraten.',
    'This table is not published for single districts and authorities of others: it would tell too much of single cases.',
  ],
  flow: ['Eingänge und Erledigungen', 'Received and decided'],
  duration: ['Bearbeitungszeit', 'Time to decision'],
  durationNote: [
    'Vom Eingang bis zur ersten Entscheidung, nach dem Monat der Entscheidung. Neun von zehn Fällen dauern nicht länger als das 90. Perzentil.',
    'From receipt to the first decision, by the month of the decision. Nine of ten cases take no longer than the 90th percentile.',
  ],
  services: ['Eingänge nach Leistung', 'Received by service'],
  backlog: ['Offene Vorgänge nach Zustand', 'Open cases by state'],
  below: ['Eingänge nach Gebiet', 'Received by area'],
  belowLand: ['Eingänge nach Kreis und kreisfreier Stadt', 'Received by district'],
  belowDistrict: ['Eingänge nach Behörde', 'Received by authority'],
  map: ['Eingänge nach Land', 'Received by Land'],
  allLands: ['Alle Länder', 'All Länder'],
  rest: ['Das Bild zeigt höchstens die zwölf größten, die Tabelle alle.', 'The picture shows the twelve largest at most, the table all.'],
  mapNote: ['Jedes Land ist ein gleich großes Feld ungefähr dort, wo es liegt. Das gewählte Land ist umrandet.', 'Each Land is a field of the same size, about where it lies. The chosen one has a border.'],
  explained: ['So sind die Zahlen zu lesen', 'How to read the figures'],
  exactTerm: ['Genaue Zahlen', 'Exact figures'],
  exactMeaning: [
    'Im eigenen Bereich wird jeder Vorgang gezählt, so wie er ist. Diese Zahlen sind für den Dienstgebrauch.',
    'In your own area each case is counted as it is. These figures are for official use.',
  ],
  protectedTerm: ['Geschützte Zahlen', 'Protected figures'],
  protectedMeaning: [
    'Über Grenzen hinweg weicht jede Zahl ein wenig zufällig ab, damit niemand erkannt wird (Cell-Key-Methode). 1 und 2 werden nie genannt. Dieselbe Frage ergibt immer dieselbe Zahl.',
    'Across borders each number deviates a little at random, so that nobody is recognised (cell-key method). 1 and 2 are never told. The same question always gives the same number.',
  ],
  marginTerm: ['± Abweichung', '± margin'],
  marginMeaning: ['In 95 von 100 Fällen liegt die wahre Zahl höchstens so weit entfernt.', 'In 95 of 100 cases the true number is no further off.'],
  signsTerm: ['Zeichen', 'Signs'],
  signsMeaning: [
    '–  nichts vorhanden, bei geschützten Zahlen auch: weniger als drei.   /  keine Angabe, weil es keine oder zu wenige Fälle gibt (bei geschützten Zahlen weniger als 30).   ·  wird nicht veröffentlicht.',
    '–  nothing there, of protected figures also: fewer than three.   /  not told, because there are no cases or too few (of protected figures fewer than 30).   ·  not published.',
  ],
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
  return value.toLocaleString(german ? 'de-DE' : 'en-GB', { maximumFractionDigits: digits });
}

export function instant(text) {
  return new Date(text).toLocaleString(german ? 'de-DE' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Europe/Berlin' });
}

// monthName names a month, "2026-10".
export function monthName(text, month = 'short') {
  return new Date(`${text}-01T00:00:00Z`).toLocaleDateString(german ? 'de-DE' : 'en-GB', { month, year: 'numeric', timeZone: 'UTC' });
}
