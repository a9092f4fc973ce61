// The system's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { noteAddress, noteCookies, noteSecret } from './stored-secrets.ts';

const PLACES = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export interface TestBrowser {
  /** A person's own browser: no cookie, no cache. */
  person(): Promise<BrowserContext>;
  /** Saves what the page shows now into the directory that LICTOR_TEST_SCREENSHOTS names; without it, nothing. */
  shoot(page: Page, name: string): Promise<void>;
  close(): Promise<void>;
}

/** For a page, a text, an answer: a busy machine is no failure. */
const PATIENCE_MS = 120_000;

/** Starts Chromium; throws with the remedy when there is none. */
export async function startBrowser(): Promise<TestBrowser> {
  const executablePath = process.env['LICTOR_CHROMIUM'] ?? PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('no Chromium: apt-get install chromium-headless-shell, or set LICTOR_CHROMIUM');
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
  const shots = process.env['LICTOR_TEST_SCREENSHOTS'] ?? '';
  return {
    person: async () => noting(await browser.newContext({ viewport: { width: 1280, height: 900 } })),
    shoot: async (page, name) => {
      if (shots !== '') await page.screenshot({ path: join(shots, `${name}.png`) });
    },
    close: () => browser.close(),
  };
}

/**
 * What a page is refused from now on: answers of 400 and more, as `STATUS METHOD ADDRESS`. Not among them is what Prefect says while its database
 * is locked: the page asks again. The gateway's own 503 says when to come back, Prefect's does not.
 */
export function watchRefusals(page: Page): readonly string[] {
  const refused: string[] = [];
  page.on('response', (response) => {
    const isLocked = response.status() === 503 && response.headers()['retry-after'] === undefined;
    if (response.status() >= 400 && !isLocked) refused.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  return refused;
}

/** Files that the gateway only passes on: there are hundreds, and to ask for the headers of each costs more than to load it. */
const OF_THE_UI = new Set(['script', 'stylesheet', 'image', 'font']);

/** What goes to and comes from gateway and provider must be in no state directory. */
function noting(context: BrowserContext): BrowserContext {
  context.setDefaultTimeout(PATIENCE_MS);
  context.on('request', (request) => {
    noteAddress(request.url());
    if (request.method() === 'POST') for (const name of ['password', 'SAMLResponse']) noteSecret(new URLSearchParams(request.postData() ?? '').get(name));
  });
  context.on('response', (response) => {
    if (OF_THE_UI.has(response.request().resourceType())) return;
    // A page that is left meanwhile has no headers any more.
    response.headerValues('set-cookie').then(
      (lines) => {
        for (const line of lines) noteCookies(line.split(';')[0] ?? '');
      },
      () => undefined,
    );
  });
  return context;
}
