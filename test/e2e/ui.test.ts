// Prefect's own UI behind the gateway, in a real browser: log in from a deep link, watch a run, be refused, log out, expire.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type StockClient, stockClient } from '../env/client.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { type Direct, directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { makeTeams, scopeArguments } from '../env/teams.ts';

const prefect = sharedPrefect();
const server: Direct = directTo(prefect);
const POOL = `ui-${Date.now().toString(36)}`;
let gateway: Gateway;
let browser: TestBrowser;
let client: StockClient;
let alice: Account;
let carol: Account;

beforeAll(async () => {
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect }), startBrowser()]);
  alice = await gateway.account('alice', 'admin');
  carol = await gateway.account('carol', 'viewer');
  const { secret } = await gateway.token('worker', ['deployer', 'worker']);
  client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } });
  await client.prefect(['work-pool', 'create', POOL, '--type', 'process']);
  const deployed = await client.prefect(['--no-prompt', 'deploy', 'stock.py:steady', '--name', POOL, '--pool', POOL]);
  if (deployed.code !== 0) throw new Error(deployed.output);
  await client.startPrefect(['worker', 'start', '--pool', POOL, '--type', 'process']);
});
afterAll(async () => {
  await browser?.close();
  await client?.stop();
  await gateway?.close();
});

/** A run of the deployment, made straight at Prefect; answers its id and name. */
async function createRun(parameters: unknown, inSeconds = 0): Promise<{ readonly id: string; readonly name: string }> {
  const deployment = await server.get(`/deployments/name/steady/${POOL}`);
  const scheduled = new Date(Date.now() + inSeconds * 1000).toISOString();
  const state = { type: 'SCHEDULED', state_details: { scheduled_time: scheduled } };
  const run = await server.post(`/deployments/${text(field(deployment, 'id'))}/create_flow_run`, { parameters, state });
  return { id: text(field(run, 'id')), name: text(field(run, 'name')) };
}

async function signIn(page: Page, account: Account): Promise<void> {
  await page.fill('#username', account.name);
  await page.fill('#password', account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function inPage(account: Account, link: string): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await browser.person();
  const page = await context.newPage();
  await page.goto(`${gateway.url}${link}`);
  await signIn(page, account);
  return { context, page };
}

describe('a person with a browser', () => {
  it('deep link, login, and there; the page of the run is live', async () => {
    const run = await createRun({ count: 75, seconds: 0.2 });
    const link = `/v2/runs/flow-run/${run.id}`;
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}${link}`);
    expect(new URL(page.url()).pathname).toBe('/.lictor/login');
    await browser.shoot(page, '1-login');
    await signIn(page, alice);
    await page.getByText(run.name).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(link);
    const state = (name: string) => page.locator('main').getByText(name, { exact: true }).first();
    await state('Running').waitFor({ timeout: 60_000 });
    await page.getByText('steady begins').waitFor({ timeout: 60_000 });
    await browser.shoot(page, '2-run');
    await state('Completed').waitFor({ timeout: 60_000 });
    await browser.shoot(page, '3-run-completed');
    await context.close();
  });

  it('a wrong password is told on the page, and gives no session', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/.lictor/login`);
    await signIn(page, { name: 'alice', password: 'wrong' });
    await page.getByRole('alert').waitFor();
    await browser.shoot(page, '4-wrong-password');
    expect((await context.cookies()).map(({ name }) => name)).toEqual([]);
    await context.close();
  });

  it('carol, a viewer, cancels a run: the UI shows the refusal, the run goes on', async () => {
    const run = await createRun({ count: 1 }, 3600);
    const { context, page } = await inPage(carol, `/v2/runs/flow-run/${run.id}`);
    await page.getByText(run.name).first().waitFor();
    await page.locator('main button[aria-haspopup="menu"]').first().click();
    await page.getByRole('menuitem', { name: 'Cancel' }).click();
    const refused = page.waitForResponse((response) => response.url().includes(`/api/flow_runs/${run.id}/set_state`));
    await page.getByRole('button', { name: 'Cancel Flow Run' }).click();
    const response = await refused;
    expect(response.status()).toBe(403);
    const { detail } = await response.json();
    await page.locator('[data-sonner-toast]').getByText(detail).waitFor();
    await browser.shoot(page, '5-refused');
    expect(await server.runState(run.id)).toBe('SCHEDULED');
    await context.close();
  });

  it('twin: alice cancels it', async () => {
    const run = await createRun({ count: 1 }, 3600);
    const { context, page } = await inPage(alice, `/v2/runs/flow-run/${run.id}`);
    await page.locator('main button[aria-haspopup="menu"]').first().click();
    await page.getByRole('menuitem', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel Flow Run' }).click();
    await server.awaitRunState(run.id, ['CANCELLING', 'CANCELLED'], 15_000);
    await context.close();
  });

  it("a viewer's pages are whole: no refusal on any of them, and nothing is loaded from elsewhere", async () => {
    const { context, page } = await inPage(carol, '/v2/dashboard');
    const refused: string[] = [];
    const elsewhere: string[] = [];
    page.on('response', (response) => {
      const { origin, pathname } = new URL(response.url());
      if (pathname.startsWith('/api/') && response.status() >= 400) refused.push(`${response.status()} ${response.request().method()} ${pathname}`);
      if (origin !== gateway.url) elsewhere.push(response.url());
    });
    await page.getByText('Dashboard').first().waitFor();
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
      await page.goto(`${gateway.url}/v2/${name}`, { waitUntil: 'networkidle' });
      await browser.shoot(page, `6-viewer-${name}`);
    }
    expect(refused).toEqual([]);
    expect(elsewhere).toEqual([]);
    await context.close();
  });

  it("an operator of one team's scope sees its own on every page, and nothing of the other team", async () => {
    const { a, b } = await makeTeams(server);
    const dana = await gateway.account('dana', 'operator', ...scopeArguments(a));
    const { context, page } = await inPage(dana, '/v2/dashboard');
    const failed: string[] = [];
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      // 503: Prefect's database was locked; the page asks again.
      const isRefused = response.status() >= 400 && response.status() !== 503;
      if (pathname.startsWith('/api/') && isRefused) failed.push(`${response.status()} ${response.request().method()} ${pathname}`);
    });
    await page.getByText('Dashboard').first().waitFor();
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
      await page.goto(`${gateway.url}/v2/${link}`, { waitUntil: 'networkidle' });
      if (own !== null) await page.getByText(own).first().waitFor();
      expect(await page.getByText('Something went wrong').count(), link).toBe(0);
      const content = await page.content();
      expect(
        b.secrets.filter((secret) => content.includes(secret)),
        link,
      ).toEqual([]);
      await browser.shoot(page, `team-${link.replaceAll('/', '-').slice(0, 30)}`);
    }
    expect(failed).toEqual([]);
    await context.close();
  });

  it('logout; then "back" shows nothing of what was there', async () => {
    const run = await createRun({ count: 1 }, 3600);
    const { context, page } = await inPage(alice, `/v2/runs/flow-run/${run.id}`);
    await page.getByText(run.name).first().waitFor();
    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await browser.shoot(page, '7-signed-out');
    for (const steps of [1, 2, 3]) {
      await page.evaluate(`history.go(-${steps})`);
      await page.waitForLoadState('networkidle');
      expect(await page.getByText(run.name).count(), `${steps} back: ${page.url()}`).toBe(0);
    }
    await browser.shoot(page, '8-back-after-logout');
    expect((await context.request.get(`${gateway.url}/api/flow_runs/${run.id}`)).status()).toBe(401);
    await context.close();
  });
});

describe('a session that ends', () => {
  it('leads the person to the login page, and back to where they were', async () => {
    const short = await startGateway({ upstream: prefect, config: { sessions: { idle: '8s', absolute: '8s' } } });
    const dana = await short.account('dana', 'viewer');
    const run = await createRun({ count: 1 }, 3600);
    const link = `/v2/runs/flow-run/${run.id}`;
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${short.url}${link}`);
    await signIn(page, dana);
    await page.getByText(run.name).first().waitFor();
    // The page asks again by itself: the first 401 sends it away.
    await page.waitForURL((url) => url.pathname === '/.lictor/login', { timeout: 60_000 });
    await browser.shoot(page, '9-expired');
    await signIn(page, dana);
    await page.getByText(run.name).first().waitFor();
    await waitFor(() => new URL(page.url()).pathname === link, { what: 'the deep link' });
    await context.close();
    await short.close();
  });
});
