// Both of Prefect's UIs below a path, in a real browser: deep link, login, pages, logout, and no request leaves the path.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser, watchRefusals } from '../env/chromium.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, text } from '../env/prefect.ts';
import { type PrefectServer, startPrefect } from '../env/prefect-server.ts';

const BASE = '/prefect';
let prefect: PrefectServer;
let gateway: Gateway;
let browser: TestBrowser;
let alice: Account;
let run: { readonly id: string; readonly name: string };

beforeAll(async () => {
  prefect = await startPrefect({ uiBase: BASE });
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect, basePath: BASE }), startBrowser()]);
  alice = await gateway.account('alice', 'admin');
  const server = directTo(prefect);
  const flow = text(field(await server.post('/flows/', { name: 'below' }), 'id'));
  const made = await server.post('/flow_runs/', { flow_id: flow, state: { type: 'COMPLETED' } });
  run = { id: text(field(made, 'id')), name: text(field(made, 'name')) };
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
  await prefect?.stop();
});

interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Requests outside the path, and refusals. */
  readonly wrong: () => readonly string[];
}

async function visit(): Promise<Visit> {
  const context = await browser.person();
  const page = await context.newPage();
  const outside: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`${gateway.url}/`) && !/^(?:data|blob):/.test(request.url())) outside.push(`outside: ${request.url()}`);
  });
  const refused = watchRefusals(page);
  // UI v1 asks for it at the root too, before it knows the state.
  return { context, page, wrong: () => [...outside, ...refused.filter((line) => !line.endsWith('/ico/undefined.svg'))] };
}

async function signIn(page: Page): Promise<void> {
  await page.fill('#username', alice.name);
  await page.fill('#password', alice.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe('below the path', () => {
  it('a deep link leads through the login to the page of the run, and every page is whole', async () => {
    const { context, page, wrong } = await visit();
    const link = `${BASE}/v2/runs/flow-run/${run.id}`;
    await page.goto(`${new URL(gateway.url).origin}${link}`);
    expect(new URL(page.url()).pathname).toBe(`${BASE}/.lictor/login`);
    await signIn(page);
    await page.getByText(run.name).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(link);
    expect((await context.cookies()).filter(({ name }) => name === 'lictor')).toMatchObject([{ path: `${BASE}/`, httpOnly: true }]);
    for (const name of ['dashboard', 'runs', 'flows', 'deployments', 'work-pools', 'automations', 'events', 'settings']) {
      await page.goto(`${gateway.url}/v2/${name}`, { waitUntil: 'networkidle' });
      await browser.shoot(page, `path-v2-${name}`);
    }
    expect(wrong()).toEqual([]);

    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('lictor');
    expect((await context.request.get(`${gateway.url}/api/flow_runs/${run.id}`)).status()).toBe(401);
    await context.close();
  });

  it('the door without its slash leads in, and UI v1 is whole too', async () => {
    const { context, page, wrong } = await visit();
    await page.goto(`${gateway.url}/`);
    await signIn(page);
    await page.waitForURL((url) => url.pathname.startsWith(`${BASE}/v2/`));
    await page.goto(`${gateway.url}/runs`, { waitUntil: 'networkidle' });
    await page.getByText(run.name).first().waitFor();
    await browser.shoot(page, 'path-v1-runs');
    await page.goto(`${gateway.url}/runs/flow-run/${run.id}`, { waitUntil: 'networkidle' });
    await browser.shoot(page, 'path-v1-run');
    expect(new URL(page.url()).pathname).toBe(`${BASE}/runs/flow-run/${run.id}`);
    expect(wrong()).toEqual([]);
    await context.close();
  });
});
