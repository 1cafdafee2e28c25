// SPDX-License-Identifier: EUPL-1.2
// The pages in Chromium: axe-core's rules of WCAG 2.2 A and AA (to which BITV 2.0 and EN 301 549 refer), reflow at 320 px, reach by keyboard, and no
// request to any other host, in a light and in a dark scheme. OZG_CHROMIUM is the browser; without it, one that is found.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { so } from '../sheet.mjs';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// The pages, and what is done before one is looked at.
const pages = {
  // GraphiQL's editors get their names a little later than they are there
  '/explorer/': (page) => page.waitForFunction(() => { const all = [...document.querySelectorAll('.CodeMirror textarea')]; return all.length > 2 && all.every((t) => t.ariaLabel); }),
  '/statistics/': async () => {},
  // figures of one's own, exact, and of others, protected
  '/statistics/ sh-analyst': (page) => signIn(page, 'sh-analyst'),
  '/statistics/ sh-analyst by': async (page) => {
    await signIn(page, 'sh-analyst');
    await page.selectOption('[data-name=scope] select', 'by');
    await page.click('[data-name=show] button');
    await page.getByText('Geschützte Zahlen.').first().waitFor();
  },
  '/statistics/ kiel-caseworker': async (page) => {
    await page.selectOption('[data-name=person] select', 'kiel-caseworker');
    await page.click('[data-name=signIn] button');
    await page.getByText('Mit diesem Zugang sind keine Zahlen zu sehen.').waitFor();
  },
};

async function signIn(page, name) {
  await page.selectOption('[data-name=person] select', name);
  await page.click('[data-name=signIn] button');
  await page.getByRole('heading', { name: 'So sind die Zahlen zu lesen' }).waitFor();
}

export default async function look(house, sheet) {
  const browser = await chromium.launch({ executablePath: found(), args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
  try {
    for (const [name, prepare] of Object.entries(pages)) for (const scheme of ['light', 'dark']) await one(browser, house, sheet, name, prepare, scheme);
    await sheet.check('what an analyst is shown stands in pictures and in tables, and can be saved', () => figures(browser, house));
    // The twin: a page with faults is found to have them.
    await sheet.check('the search finds a page with faults', async () => {
      const page = await browser.newPage();
      await page.setContent('<html><title>x</title><main><img src="data:,"><p style="color: #ccc; width: 2000px">faint</p></main>');
      const found = (await examined(page)).map((v) => v.id);
      so(['html-has-lang', 'image-alt', 'color-contrast'].every((id) => found.includes(id)), `only ${found} were found`);
      await page.close();
    });
  } finally {
    await browser.close();
  }
}

function found() {
  return process.env.OZG_CHROMIUM || execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome'], { encoding: 'utf8' }).trim();
}

async function examined(page) {
  await page.evaluate(axe);
  return (await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), rules)).violations;
}

async function one(browser, house, sheet, name, prepare, scheme) {
  const context = await browser.newContext({ locale: 'de-DE', colorScheme: scheme, viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const [foreign, errors] = [[], []];
    const { host, origin } = new URL(house.url);
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (!['data:', 'blob:', 'about:'].includes(url.protocol) && url.host !== host) foreign.push(r.url());
    });
    page.on('pageerror', (e) => errors.push(e.message));
    page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
    await page.goto(origin + name.split(' ')[0], { waitUntil: 'networkidle' });
    await prepare(page);
    await page.waitForLoadState('networkidle');
    const what = `${name} (${scheme})`;
    const violations = await examined(page);
    sheet.note(`${what}: axe finds nothing`, violations.length === 0, violations.map((v) => `${v.impact} ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`).join('\n'));
    sheet.note(`${what}: nothing is fetched from elsewhere`, foreign.length === 0, foreign.join('\n'));
    sheet.note(`${what}: the browser complains of nothing`, errors.length === 0, errors.join('\n'));
    if (scheme === 'dark') return;
    const controls = await page.evaluate(() => [...document.querySelectorAll('a[href],button:not([disabled]),input:not([disabled]),select,textarea,[tabindex="0"]')].filter((e) => e.checkVisibility() && e.tabIndex >= 0).length);
    const reached = new Set();
    for (let i = 0; i < controls + 15; i++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => { const e = document.activeElement; if (!e || e === document.body) return ''; e.dataset.reached ||= String(Math.random()); return e.dataset.reached; }));
    }
    reached.delete('');
    sheet.note(`${what}: every control is reached by Tab`, reached.size >= controls, `${reached.size} of ${controls}`);
    await page.setViewportSize({ width: 320, height: 640 });
    await page.waitForFunction(() => innerWidth === 320);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    sheet.note(`${what}: nothing is wider than 320 px (WCAG 1.4.10)`, width <= 321, `${width} px`);
  } finally {
    await context.close();
  }
}

// figures compares a table of the page with what the house answers, and saves it.
async function figures(browser, house) {
  const page = await browser.newPage({ locale: 'de-DE' });
  await page.goto(`${new URL(house.url).origin}/statistics/`, { waitUntil: 'networkidle' });
  await signIn(page, 'sh-analyst');
  const section = page.locator('section', { has: page.getByRole('heading', { name: 'Eingänge und Erledigungen', exact: true }) });
  so(await section.getByRole('img', { name: /Eingänge und Erledigungen/ }).count() === 1, 'there is no picture');
  const shown = await section.locator('tbody tr td:nth-of-type(1)').allInnerTexts();
  const [download] = await Promise.all([page.waitForEvent('download'), section.getByRole('button').click()]);
  const lines = fs.readFileSync(await download.path(), 'utf8').trim().split('\r\n').map((l) => l.split(','));
  const at = lines[0].indexOf('applications');
  const saved = lines.slice(1).map((l) => Number(l[at]));
  const sum = (all) => all.reduce((a, b) => a + b, 0);
  const told = sum(shown.map((t) => Number(t.replaceAll('.', '')) || 0));
  so(shown.length === 12 && told > 0 && told === sum(saved), `the page shows ${shown}, the file has ${saved}`);
  await page.close();
}
