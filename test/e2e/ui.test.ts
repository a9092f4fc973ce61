// Prefect's own UI behind the gateway, in a real browser: log in from a deep link, watch a run, be refused, log out, expire.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser, watchRefusals } from '../env/chromium.ts';
import { stockClient } from '../env/client.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { type Direct, directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { makeTeams, scopeArguments } from '../env/teams.ts';
import { openSession, preparePool, type StockSession, startWorker } from '../integration/stock/session.ts';

const prefect = sharedPrefect();
const server: Direct = directTo(prefect);
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-ui-'));
/** Runs end when it is there. */
const END = join(directory, 'end');
let gateway: Gateway;
let browser: TestBrowser;
let session: StockSession;
let alice: Account;
let carol: Account;

beforeAll(async () => {
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect }), startBrowser()]);
  alice = await gateway.account('alice', 'admin');
  carol = await gateway.account('carol', 'viewer');
  const { secret } = await gateway.token('worker', ['deployer', 'worker']);
  session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } }, 'ui');
  await preparePool(session, 'held');
  await startWorker(session);
});
afterAll(async () => {
  await browser?.close();
  await session?.client.stop();
  await gateway?.close();
  rmSync(directory, { recursive: true });
});

const HOUR_SECONDS = 3600;

/** A run of the deployment, made straight at Prefect; answers its id and name. */
async function createRun(inSeconds: number): Promise<{ readonly id: string; readonly name: string }> {
  const deployment = await server.get(`/deployments/name/held/${session.pool}`);
  const scheduled = new Date(Date.now() + inSeconds * 1000).toISOString();
  const state = { type: 'SCHEDULED', state_details: { scheduled_time: scheduled } };
  const run = await server.post(`/deployments/${text(field(deployment, 'id'))}/create_flow_run`, { parameters: { file: END }, state });
  return { id: text(field(run, 'id')), name: text(field(run, 'name')) };
}

async function signIn(page: Page, account: Account): Promise<void> {
  await page.fill('#username', account.name);
  await page.fill('#password', account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Browsers of people who are signed in: a new one loads the whole UI again. */
const signedIn = new Map<Account, Opened>();

async function inPage(account: Account, link: string): Promise<Opened> {
  const before = signedIn.get(account);
  const { context, page } = before ?? (await newPage());
  await page.goto(`${gateway.url}${link}`);
  if (before === undefined) await signIn(page, account);
  signedIn.set(account, { context, page });
  return { context, page };
}

async function newPage(): Promise<Opened> {
  const context = await browser.person();
  return { context, page: await context.newPage() };
}

async function leave(account: Account): Promise<void> {
  await signedIn.get(account)?.context.close();
  signedIn.delete(account);
}

/** Follows links within the UI, as a click does: the document stays. Resolves when the requests of the new page have ended. */
function linksIn(page: Page): (link: string) => Promise<void> {
  const open = new Set<Request>();
  let changedMs = Date.now();
  const ended = (request: Request) => {
    open.delete(request);
    changedMs = Date.now();
  };
  page.on('request', (request) => {
    open.add(request);
    changedMs = Date.now();
  });
  page.on('requestfinished', ended);
  page.on('requestfailed', ended);
  return async (link) => {
    changedMs = Date.now();
    await page.evaluate(`history.pushState({}, "", ${JSON.stringify(link)})`);
    await waitFor(() => open.size === 0 && Date.now() - changedMs > 500, { what: `${link} to be quiet`, timeoutMs: 120_000 });
    expect(new URL(page.url()).pathname).toBe(link);
  };
}

const ofApi = (refused: readonly string[]): readonly string[] => refused.filter((line) => line.includes(`${gateway.url}/api/`));

describe('a person with a browser', () => {
  // A page that nobody sees goes on to ask and to draw.
  afterEach(async () => void (await Promise.all([...signedIn.values()].map(({ page }) => page.goto('about:blank')))));

  it('deep link, login, and there; the page of the run is live', async () => {
    const run = await createRun(0);
    const link = `/v2/runs/flow-run/${run.id}`;
    const { context, page } = await newPage();
    await page.goto(`${gateway.url}${link}`);
    expect(new URL(page.url()).pathname).toBe('/.lictor/login');
    await browser.shoot(page, '1-login');
    await signIn(page, alice);
    signedIn.set(alice, { context, page });
    await page.getByText(run.name).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(link);
    const state = (name: string) => page.locator('main').getByText(name, { exact: true }).first();
    await state('Running').waitFor();
    await page.getByText('held begins').waitFor();
    await browser.shoot(page, '2-run');
    writeFileSync(END, '');
    await state('Completed').waitFor();
    await browser.shoot(page, '3-run-completed');
    const places = () => page.locator('#lictor-bar a').evaluateAll((links) => links.map((each) => `${each.textContent} ${each.getAttribute('href')}`));
    expect(await places()).toEqual(['alice@local /.lictor/', `Timeline /.lictor/console/runs/${run.id}`]);
    await linksIn(page)('/v2/dashboard');
    expect((await places()).at(-1)).toBe('Console /.lictor/console/');
  });

  it('the page reports a wrong password, and gives no session', async () => {
    const { context, page } = await newPage();
    await page.goto(`${gateway.url}/.lictor/login`);
    await signIn(page, { name: 'alice', password: 'wrong' });
    await page.getByRole('alert').waitFor();
    await browser.shoot(page, '4-wrong-password');
    expect((await context.cookies()).map(({ name }) => name)).toEqual([]);
    await context.close();
  });

  it('carol, a viewer, cancels a run: the UI shows the refusal, the run goes on', async () => {
    const run = await createRun(HOUR_SECONDS);
    const { page } = await inPage(carol, `/v2/runs/flow-run/${run.id}`);
    await page.getByText(run.name).first().waitFor();
    await page.locator('main button[aria-haspopup="menu"]').first().click();
    await page.getByRole('menuitem', { name: 'Cancel' }).click();
    const refused = page.waitForResponse((response) => response.url().includes(`/api/flow_runs/${run.id}/set_state`));
    // It is shown for some seconds: who looks for it afterwards may come late.
    const told = page.locator('[data-sonner-toast]').first().textContent();
    await page.getByRole('button', { name: 'Cancel Flow Run' }).click();
    const response = await refused;
    expect(response.status()).toBe(403);
    const { detail } = await response.json();
    expect(detail).toBe(
      'carol@local (viewer) may not set the state of flow runs (flow_runs.set_state); role deployer may, and role operator may cancel flow runs.',
    );
    expect(await told).toContain(detail);
    await browser.shoot(page, '5-refused');
    expect(await server.runState(run.id)).toBe('SCHEDULED');
  });

  it('twin: alice cancels it', async () => {
    const run = await createRun(HOUR_SECONDS);
    const { page } = await inPage(alice, `/v2/runs/flow-run/${run.id}`);
    await page.locator('main button[aria-haspopup="menu"]').first().click();
    await page.getByRole('menuitem', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel Flow Run' }).click();
    await server.awaitRunState(run.id, ['CANCELLING', 'CANCELLED']);
  });

  it('the stock command line shows who may not do what, and which role may', async () => {
    const sayOf = async (name: string, role: string, args: readonly string[]): Promise<string> => {
      const { secret } = await gateway.token(name, [role]);
      const stock = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } });
      const { code, output } = await stock.prefect(args);
      await stock.stop();
      expect(code, output).not.toBe(0);
      return output.replaceAll(/\s+/g, ' ');
    };
    expect(await sayOf('reader', 'viewer', ['--no-prompt', 'deploy', 'stock.py:held', '--name', session.pool, '--pool', session.pool])).toMatch(
      /token:reader \(viewer\) may not [a-z ]+ \([a-z_.]+\); role [a-z]+ may\./,
    );
    expect(await sayOf('steward', 'operator', ['deployment', 'run', `held/${session.pool}`, '--job-variable', 'env.A=b'])).toContain(
      'token:steward (operator) may not start runs with job_variables, another queue or another state (deployments.run.override); role deployer may.',
    );
  });

  it('an address that carol may not open is a styled page with the reason', async () => {
    const { page } = await inPage(carol, '/v2/dashboard');
    await page.getByText('Dashboard').first().waitFor();
    await page.goto(`${gateway.url}/api/metrics`);
    await page.getByText('carol@local (viewer) may not read metrics of the server (system.metrics); role admin may.').waitFor();
    await browser.shoot(page, '6-refused-page');
    await page.goto(`${gateway.url}/.lictor/api/v1/audit`);
    await page.getByText('carol@local (viewer) may not read the audit records (ledger.read); role auditor may.').waitFor();
    await browser.shoot(page, '6-refused-own-page');
    await page.goto(`${gateway.url}/a//b`);
    await page.getByText('The path is not in its canonical form.').waitFor();
    await browser.shoot(page, '6-refused-path');
  });

  it("a viewer's pages are whole: no refusal on any of them, and nothing is loaded from elsewhere", async () => {
    const { page } = await inPage(carol, '/v2/dashboard');
    const refused = watchRefusals(page);
    const elsewhere: string[] = [];
    page.on('response', (response) => {
      if (new URL(response.url()).origin !== gateway.url) elsewhere.push(response.url());
    });
    await page.getByText('Dashboard').first().waitFor();
    const follow = linksIn(page);
    for (const name of [
      'dashboard',
      'runs',
      'flows',
      'deployments',
      'work-pools',
      'blocks',
      'variables',
      'automations',
      'events',
      'concurrency-limits',
      'settings',
    ]) {
      await follow(`/v2/${name}`);
      await browser.shoot(page, `6-viewer-${name}`);
    }
    expect(ofApi(refused)).toEqual([]);
    expect(elsewhere).toEqual([]);
  });

  it('the bar in every page says who is signed in, and signs out with one click', async () => {
    const { context, page } = await inPage(carol, '/v2/dashboard');
    const bar = page.locator('#lictor-bar');
    await bar.getByRole('link', { name: 'carol@local' }).waitFor();
    await browser.shoot(page, '6-bar');
    await bar.getByRole('link', { name: 'carol@local' }).click();
    await page.getByText('with the role viewer').waitFor();
    await browser.shoot(page, '6-account');
    await page.getByRole('link', { name: 'Continue to Prefect' }).click();
    // The page at / leads on to the dashboard, which would take a click with it.
    await page.waitForURL(/\/dashboard/);
    await page.getByText('Dashboard').first().waitFor();
    await bar.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    expect((await context.request.get(`${gateway.url}/api/admin/version`)).status()).toBe(401);
    await leave(carol);
  });

  it("an operator of one team's scope sees its own on every page, and nothing of the other team", async () => {
    const { a, b } = await makeTeams(server);
    const dana = await gateway.account('dana', 'operator', ...scopeArguments(a));
    const { page } = await inPage(dana, '/v2/dashboard');
    const refused = watchRefusals(page);
    await page.getByText('Dashboard').first().waitFor();
    const follow = linksIn(page);
    const pages: readonly (readonly [link: string, own: string | null])[] = [
      ['dashboard', null],
      ['runs', `${a.mark}-finished`],
      ['flows', a.flowName],
      ['deployments', a.deploymentName],
      ['work-pools', a.pool],
      ['blocks', a.blockName],
      ['variables', a.variableName],
      ['automations', `${a.mark}-automation`],
      ['events', null],
      ['concurrency-limits', a.limitName],
      [`runs/flow-run/${a.finishedRun}`, `${a.mark} says`],
      [`deployments/deployment/${a.deployment}`, a.deploymentName],
      [`flows/flow/${a.flow}`, a.flowName],
      [`work-pools/work-pool/${a.pool}`, a.pool],
    ];
    for (const [link, own] of pages) {
      await follow(`/v2/${link}`);
      if (own !== null) await page.getByText(own).first().waitFor();
      expect(await page.getByText('Something went wrong').count(), link).toBe(0);
      const content = await page.content();
      expect(
        b.secrets.filter((secret) => content.includes(secret)),
        link,
      ).toEqual([]);
      await browser.shoot(page, `team-${link.replaceAll('/', '-').slice(0, 30)}`);
    }
    expect(ofApi(refused)).toEqual([]);
    await leave(dana);
  });

  it('logout; then "back" shows nothing of what was there', async () => {
    await leave(alice); // A new browser has no history.
    const run = await createRun(HOUR_SECONDS);
    const { context, page } = await inPage(alice, `/v2/runs/flow-run/${run.id}`);
    await page.getByText(run.name).first().waitFor();
    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await browser.shoot(page, '7-signed-out');
    for (const before of ['the question', "the run's page", 'the login']) {
      await page.goBack({ waitUntil: 'networkidle' });
      expect(await page.getByText(run.name).count(), `${before}: ${page.url()}`).toBe(0);
      expect(new URL(page.url()).pathname, before).toMatch(/^\/\.lictor\/log(?:in|out)$/);
    }
    await browser.shoot(page, '8-back-after-logout');
    expect((await context.request.get(`${gateway.url}/api/flow_runs/${run.id}`)).status()).toBe(401);
    await leave(alice);
  });
});

describe('a session that ends', () => {
  /** False: a machine so busy that the session was over before the page was there. */
  const endsAfter = async (seconds: number): Promise<boolean> => {
    const short = await startGateway({ upstream: prefect, config: { sessions: { idle: `${seconds}s`, absolute: `${seconds}s` } } });
    const dana = await short.account('dana', 'viewer');
    const run = await createRun(HOUR_SECONDS);
    const link = `/v2/runs/flow-run/${run.id}`;
    const { context, page } = await newPage();
    const atLogin = (url: URL): boolean => url.pathname === '/.lictor/login';
    const arrives = async (): Promise<boolean> => {
      await Promise.all([page.waitForURL((url) => !atLogin(url), { waitUntil: 'commit' }), signIn(page, dana)]);
      const shown = page.getByText(run.name).first();
      await shown.or(page.locator('#username')).first().waitFor();
      return await shown.isVisible();
    };
    const endsAndComesBack = async (): Promise<boolean> => {
      await page.goto(`${short.url}${link}`);
      if (!(await arrives())) return false;
      // The page asks again by itself: the first 401 sends it away.
      await page.waitForURL(atLogin);
      await browser.shoot(page, '9-expired');
      if (!(await arrives())) return false;
      await page.waitForURL((url) => url.pathname === link);
      return true;
    };
    const came = await endsAndComesBack();
    await context.close();
    await short.close();
    return came;
  };

  it('leads the person to the login page, and back to where they were', async () => {
    for (const seconds of [8, 30, 90]) if (await endsAfter(seconds)) return;
    expect.unreachable('no session lived until its page was there');
  });
});
