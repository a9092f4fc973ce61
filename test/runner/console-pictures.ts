// The pictures of the console in the docs, from a demo that runs: node test/runner/console-pictures.ts OUTPUT-OF-THE-DEMO [DIRECTORY]
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { logIn } from '../../demo/log-in.ts';
import type { Person } from '../../demo/people.ts';
import { callerWith, createRun } from '../../demo/prefect-api.ts';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';

const MOST_BYTES = 150_000;

export interface Demo {
  readonly url: string;
  readonly run: string;
  readonly people: ReadonlyMap<string, Person>;
}

/** From what `lictor demo` prints. */
export function demoIn(output: string): Demo {
  const found = /^Its timeline in the console: (\S+)\/\.lictor\/console\/runs\/(\S+)$/m.exec(output);
  if (found === null) throw new Error('the demo does not run yet, or it was started with --once');
  const [, url = '', run = ''] = found;
  const people = [...output.matchAll(/^(alice|bob|carol) {2}(\S+) {2}(\S+)$/gm)].map(([, name = '', password = '', role = '']) => ({ name, password, role }));
  return { url, run, people: new Map(people.map((person) => [person.name, person])) };
}

/** Bob starts a run. Carol may not cancel it; bob may. */
async function happen({ url, run, people }: Demo): Promise<void> {
  const as = async (name: string) => callerWith(url, await logIn(url, personIn(people, name)));
  const alice = await as('alice');
  const { deployment_id: deployment } = z.object({ deployment_id: z.string() }).parse(await alice('GET', `/flow_runs/${run}`));
  const bob = await as('bob');
  const { id } = await createRun(bob, deployment);
  const cancel = { state: { type: 'CANCELLING' }, force: true };
  const carol = await as('carol');
  await carol('POST', `/flow_runs/${id}/set_state`, cancel).catch(() => undefined); // Denied: that is the point.
  await bob('POST', `/flow_runs/${id}/set_state`, cancel);
}

function personIn(people: Demo['people'], name: string): Person {
  const person = people.get(name);
  if (person === undefined) throw new Error(`the output of the demo does not name ${name}`);
  return person;
}

const FREEZE = `// During the release only deployers start runs.
@id("freeze")
forbid (principal, action == Action::"deployments.run", resource)
unless { principal in Role::"deployer" };
`;

interface Scene {
  readonly name: string;
  readonly path: (demo: Demo) => string;
  readonly theme: 'light' | 'dark';
  /** Until the page shows what the picture is about. */
  readonly ready: (page: Page) => Promise<void>;
}

const SCENES: readonly Scene[] = [
  { name: 'timeline', path: ({ run }) => `/runs/${run}`, theme: 'light', ready: (page) => page.getByText('Completed').first().waitFor() },
  { name: 'timeline-dark', path: ({ run }) => `/runs/${run}`, theme: 'dark', ready: (page) => page.getByText('Completed').first().waitFor() },
  { name: 'who-did-what', path: () => '/search', theme: 'dark', ready: (page) => page.getByText('flow_runs.cancel').first().waitFor() },
  { name: 'access', path: () => '/access?rows=principals', theme: 'light', ready: (page) => page.getByRole('grid', { name: 'Rights' }).waitFor() },
  { name: 'effect', path: () => '/policies?dialog=new', theme: 'light', ready: simulate },
];

async function simulate(page: Page): Promise<void> {
  await page.getByLabel('Name').fill('freeze.cedar');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: /freeze/ }).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(FREEZE);
  await page.getByRole('link', { name: 'Effect', exact: true }).click();
  await page.getByRole('group').filter({ hasText: 'bob@local' }).locator('summary').click();
}

async function shoot(browser: TestBrowser, demo: Demo, { name, path, theme, ready }: Scene, directory: string): Promise<void> {
  const { cookie = '' } = await logIn(demo.url, personIn(demo.people, 'alice'));
  const cookies = cookie.split('; ').map((pair) => ({ name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), url: demo.url }));
  const context = await browser.person();
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${demo.url}/.lictor/console${path(demo)}`);
  await ready(page);
  await page.waitForLoadState('networkidle');
  const file = join(directory, `console-${name}.png`);
  await page.screenshot({ path: file });
  await context.close();
  reduce(file);
}

/** To a palette. The Debian package pngquant has the program. */
function reduce(file: string): void {
  execFileSync('pngquant', ['--force', '--strip', '--speed', '1', '--quality', '60-95', '--output', file, file]);
  const { size } = statSync(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes: at most ${MOST_BYTES}`);
}

if (import.meta.main) {
  const [output = '', directory = join(REPOSITORY, 'docs')] = process.argv.slice(2);
  const demo = demoIn(readFileSync(output, 'utf8'));
  await happen(demo);
  const browser = await startBrowser();
  for (const scene of SCENES) await shoot(browser, demo, scene, directory);
  await browser.close();
}
