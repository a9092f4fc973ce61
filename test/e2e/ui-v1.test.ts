// Prefect's older UI behind the gateway: whole for a viewer, a refusal is seen, switching works, an ended session leads to the login page.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser, watchRefusals } from '../env/chromium.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const PAGES = ['dashboard', 'runs', 'flows', 'deployments', 'work-pools', 'blocks', 'variables', 'automations', 'events', 'concurrency-limits', 'settings'];
let gateway: Gateway;
let browser: TestBrowser;
let carol: Account;
let alice: Account;

beforeAll(async () => {
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect }), startBrowser()]);
  carol = await gateway.account('carol', 'viewer');
  alice = await gateway.account('alice', 'admin');
  // The button that this UI has on an empty page has no name once there are variables, and other files share this Prefect.
  const direct = directTo(prefect);
  for (const variable of list(await direct.post('/variables/filter', {}))) await direct.delete(`/variables/${text(field(variable, 'id'))}`);
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

/** Lictor's own bar in the page. */
async function expectBar(page: Page, name: string): Promise<void> {
  const bar = page.locator('#lictor-bar');
  await bar.getByRole('link', { name }).waitFor();
  await bar.getByRole('button', { name: 'Sign out' }).waitFor();
}

async function signIn(page: Page, account: Account): Promise<void> {
  await page.fill('#username', account.name);
  await page.fill('#password', account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function inPage(account: Account, path: string): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await browser.person();
  const page = await context.newPage();
  await page.goto(`${gateway.url}${path}`);
  await signIn(page, account);
  return { context, page };
}

/** The side bar of the older UI, with a link to each page. */
async function expectSideBar(page: Page): Promise<void> {
  const bar = page.locator('.context-sidebar');
  for (const name of PAGES) await bar.locator(`a[href="/${name}"]`).first().waitFor();
}

/** Fills the form of a new variable and sends it; answers the status of Prefect's own request. */
async function createVariable(page: Page, name: string): Promise<number> {
  await page.getByRole('button', { name: 'Add Variable' }).click();
  await page.locator('input.p-text-input__control').first().fill(name);
  await page.locator('textarea.p-code-input__textarea').fill('"value"');
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/variables/' && response.request().method() === 'POST');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  return (await answered).status();
}

describe('the older UI', () => {
  it('is whole for a viewer: side bar on every page, nothing refused, nothing loaded from elsewhere', async () => {
    const { context, page } = await inPage(carol, '/dashboard');
    const refused = watchRefusals(page);
    const elsewhere: string[] = [];
    page.on('response', (response) => {
      if (new URL(response.url()).origin !== gateway.url) elsewhere.push(response.url());
    });
    await expectSideBar(page);
    for (const name of PAGES) {
      await page.goto(`${gateway.url}/${name}`, { waitUntil: 'networkidle' });
      await expectSideBar(page);
      await expectBar(page, carol.name);
      await browser.shoot(page, `v1-${name}`);
    }
    expect(refused).toEqual([]);
    expect(elsewhere).toEqual([]);
    await context.close();
  });

  it('shows a refusal, and nothing was made', async () => {
    const { context, page } = await inPage(carol, '/variables');
    // It is shown for some seconds: who looks for it afterwards may come late.
    const shown = page
      .locator('.p-toast__message')
      .getByText('carol@local (viewer) may not create variables (variables.write); role deployer may.')
      .first()
      .waitFor();
    expect(await createVariable(page, 'refused_in_v1')).toBe(403);
    await shown;
    await browser.shoot(page, 'v1-refused');
    expect(JSON.stringify(await directTo(prefect).post('/variables/filter', {}))).not.toContain('refused_in_v1');
    await context.close();
  });

  it('twin: an administrator makes it', async () => {
    const { context, page } = await inPage(alice, '/variables');
    expect(await createVariable(page, 'made_in_v1')).toBe(201);
    await page.getByText('made_in_v1').first().waitFor();
    await context.close();
  });

  it('switches to the newer one and back, both times below the gateway', async () => {
    const { context, page } = await inPage(carol, '/dashboard');
    await page.getByText('Switch to V2 UI').click();
    await page.getByRole('button', { name: 'Switch to V1 UI', exact: true }).first().waitFor();
    await page.waitForURL(({ origin, pathname }) => origin === gateway.url && pathname === '/v2/dashboard');
    await page.goto(`${gateway.url}/v2/settings`);
    await page.getByRole('button', { name: 'Switch to V1 UI', exact: true }).last().click();
    await page.getByRole('button', { name: 'Skip feedback and switch' }).click();
    await expectSideBar(page);
    expect(new URL(page.url()).origin).toBe(gateway.url);
    expect(new URL(page.url()).pathname).not.toMatch(/^\/v2/);
    await context.close();
  });

  it('leads to the login page once its session has ended, and back', async () => {
    const { context, page } = await inPage(carol, '/variables');
    await expectSideBar(page);
    await context.clearCookies({ name: 'lictor' });
    // Within the page: nothing is loaded anew but what the UI asks for itself.
    await page.locator('.context-sidebar a[href="/flows"]').click();
    await page.waitForURL((url) => url.pathname === '/.lictor/login');
    await browser.shoot(page, 'v1-ended');
    await signIn(page, carol);
    await expectSideBar(page);
    // Where the page was at its first 401: it may have asked before it changed the address.
    await waitFor(() => ['/variables', '/flows'].includes(new URL(page.url()).pathname), { what: 'the page where it ended' });
    await context.close();
  });
});

it('the login page follows the browser into the dark', async () => {
  const context = await browser.person();
  const page = await context.newPage();
  const brightness = async (): Promise<number> => {
    const colours = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    return Math.max(...(colours.match(/\d+/g) ?? []).slice(0, 3).map(Number));
  };
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${gateway.url}/.lictor/login`);
  await browser.shoot(page, 'login-dark');
  expect(await brightness()).toBeLessThan(64);
  await page.emulateMedia({ colorScheme: 'light' });
  await browser.shoot(page, 'login-light');
  expect(await brightness()).toBeGreaterThan(192);
  await context.close();
});
