// Login at Keycloak through the gateway, in a real browser: deep link, no role, several tabs, the console, logout on both sides, the pages' looks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOpenIdProvider } from '../../src/identity/authn/oidc/openid-provider.fixture.ts';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type Gateway, lastJson, startGateway } from '../env/gateway.ts';
import { CLIENT, type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { logInAtKeycloak, withoutUi } from '../env/keycloak-person.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { run, start, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { watchPage } from '../integration/console/watch.ts';

const prefect = sharedPrefect();
let keycloak: Keycloak;
let gateway: Gateway;
let browser: TestBrowser;

beforeAll(async () => {
  keycloak = await sharedKeycloak();
  [gateway, browser] = await Promise.all([
    startGateway({ upstream: prefect, config: configFor(keycloak), env: { IDP_SECRET: CLIENT.secret } }),
    startBrowser(),
  ]);
  await keycloak.serve(gateway.url, 'corp');
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

function configFor({ issuer }: Keycloak, more: readonly unknown[] = []): Readonly<Record<string, unknown>> {
  return {
    identity_providers: [{ id: 'corp', type: 'oidc', issuer, client_id: CLIENT.id, client_secret: '${IDP_SECRET}' }, ...more],
    roles: [{ role: 'admin', members: ['group:platform@corp'] }],
  };
}

/** Both colour schemes, since both are promised. */
async function shootBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await browser.shoot(page, `oidc-${name}-${colorScheme}`);
  }
}

const path = (page: Page): string => new URL(page.url()).pathname;
const status = async (context: BrowserContext, url: string): Promise<number> => (await context.request.get(`${gateway.url}${url}`)).status();

describe('login at the one provider', () => {
  it('alice: from the deep link straight to Keycloak, and back to it; the cookie is opaque', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    expect(new URL(page.url()).origin).toBe(keycloak.url);
    await logInAtKeycloak(page, PEOPLE.alice);
    await page.getByText('Flows').first().waitFor();
    expect(path(page)).toBe('/v2/flows');
    // Prefect's own pages set one of theirs.
    const cookies = (await context.cookies(gateway.url)).filter(({ name }) => name.startsWith('lictor'));
    expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([['lictor', true, 'Lax']]);
    expect(cookies[0]?.value).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await status(context, '/api/admin/version')).toBe(200);
    await context.close();
  });

  it('bob: has no group, and sees the page that names it; nothing is his', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    await logInAtKeycloak(page, PEOPLE.bob);
    await page.getByText('No access yet').waitFor();
    expect(await page.locator('.groups').textContent()).toBe('platform');
    await shootBoth(page, 'no-role');
    expect((await context.cookies(gateway.url)).length).toBe(0);
    expect(await status(context, '/api/admin/version')).toBe(401);
    await page.getByRole('link', { name: 'Sign in as another person' }).click();
    await page.waitForURL((url) => url.origin === keycloak.url);
    await browser.shoot(page, 'oidc-somebody-else');
    await context.close();
  });

  it('two tabs at once: one password, both land', async () => {
    const context = await browser.person();
    const [one, two] = [await context.newPage(), await context.newPage()];
    await one.goto(`${gateway.url}/v2/flows`);
    await two.goto(`${gateway.url}/v2/variables`);
    expect((await context.cookies(gateway.url)).map(({ name }) => name.slice(0, 13))).toEqual(['lictor-login-', 'lictor-login-']);
    await logInAtKeycloak(two, PEOPLE.alice);
    await two.waitForURL((url) => url.pathname === '/v2/variables');
    // Keycloak's page in the other tab notices the login by itself, and goes on; if it misses that, its person opens the page again.
    // If the page asks with the cookie of the session that just ended, it gets to the login, which knows the new session and has a link back.
    const landed = (url: URL): boolean => url.pathname === '/v2/flows';
    await one.waitForURL(landed, { timeout: 30_000 }).catch(async () => {
      const { origin } = new URL(one.url());
      if (origin === keycloak.url) await one.goto(`${gateway.url}/v2/flows`);
      else await one.getByRole('link', { name: 'Continue to Prefect' }).click();
      await one.waitForURL(landed);
    });
    // The first session ended with the second login: a page whose request was under way with it logs in once more by itself.
    await waitFor(async () => (await status(context, '/api/admin/version')) === 200, { what: 'both tabs to be settled', timeoutMs: 120_000 });
    await context.close();
  });

  it('logout ends both sessions: the next login asks for the password again', async () => {
    const { name } = await keycloak.addUser(`leaver-${Date.now().toString(36)}`, ['platform']);
    const context = await withoutUi(await browser.person());
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    await logInAtKeycloak(page, { name, password: `${name}-password` });
    await page.waitForURL((url) => url.pathname === '/v2/flows');
    expect(await keycloak.sessions(name)).toBe(1);
    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    expect(new URL(page.url()).origin).toBe(gateway.url);
    await waitFor(async () => (await keycloak.sessions(name)) === 0, { what: "Keycloak's session to end" });
    expect(await status(context, '/api/admin/version')).toBe(401);
    await page.goto(`${gateway.url}/v2/flows`);
    await page.locator('#username').waitFor();
    await context.close();
  });
});

describe('the console', () => {
  it('by a deep link: logs in at Keycloak, shows the groups that Keycloak names, and signs out of every view and of Keycloak', async () => {
    const { name } = await keycloak.addUser(`viewer-${Date.now().toString(36)}`, ['platform']);
    const context = await browser.person();
    const page = await context.newPage();
    const misdeeds: string[] = [];
    const link = `${gateway.url}/.lictor/console/identities?tab=groups`;
    await page.goto(link);
    await logInAtKeycloak(page, { name, password: `${name}-password` });
    await page.waitForURL(link);
    watchPage(page, gateway.url, misdeeds);
    const group = page.getByRole('table', { name: 'Groups' }).getByRole('row').filter({ hasText: 'platform' });
    await group.getByText('logins').waitFor();
    expect(await group.getByRole('cell').allTextContents()).toEqual(expect.arrayContaining(['corp', expect.stringContaining('admin')]));
    await shootBoth(page, 'console-groups');
    await group.getByRole('link').click();
    await page.getByRole('button', { name: `${name}@corp`, exact: true }).click();
    await page
      .getByRole('region', { name: `${name}@corp` })
      .getByText('group:platform@corp')
      .waitFor();
    const navigation = page.getByRole('navigation', { name: 'Console' }).getByRole('link');
    for (const view of (await navigation.allInnerTexts()).map((text) => text.trim()).filter((text) => text !== 'Prefect')) {
      await navigation.filter({ hasText: view }).click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect([view, await page.locator('.signed-in').getByText(`${name}@corp`).isVisible()]).toEqual([view, true]);
      expect([view, await page.getByRole('button', { name: 'Sign out' }).isEnabled()]).toEqual([view, true]);
    }
    const other = await context.newPage();
    await other.goto(link);
    await other.getByRole('table', { name: 'Groups' }).waitFor();
    expect(misdeeds).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await waitFor(async () => (await keycloak.sessions(name)) === 0, { what: "Keycloak's session to end" });
    expect(await status(context, '/.lictor/api/v1/me')).toBe(401);
    await other.reload();
    await other.locator('#username').waitFor();
    await context.close();
  });
});

describe('the command line', () => {
  /** Seconds between two questions at Keycloak. */
  const REFRESH_SECONDS = 10;
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-home-'));
  const spec = (...args: readonly string[]) => ({
    name: `lictor ${args.join(' ')}`,
    command: process.execPath,
    args: [MAIN, ...args],
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home },
  });
  beforeAll(() => keycloak.setTokenLifetime(REFRESH_SECONDS));
  afterAll(async () => {
    await keycloak.setTokenLifetime(300);
    rmSync(home, { recursive: true });
  });

  it('is allowed in the browser, outlives the session there, and ends when Keycloak disables the person', async () => {
    const { name } = await keycloak.addUser(`cli-${Date.now().toString(36)}`, ['platform']);
    const login = await start(spec('login', gateway.url));
    const address = /^ {4}(http\S+)$/m;
    await waitFor(() => address.test(login.output()), { what: 'the address', timeoutMs: 60_000 });
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/.lictor/device`);
    await logInAtKeycloak(page, { name, password: `${name}-password` });
    await page.getByLabel('Code').fill('bcdf ghjk');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('There is no login with this code').waitFor();
    await shootBoth(page, 'device-wrong');
    await page.goto(address.exec(login.output())?.[1] ?? '');
    await page.getByText('Allow this login?').waitFor();
    await shootBoth(page, 'device');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('You are logged in').waitFor();
    await shootBoth(page, 'device-allowed');
    expect(await login.exited, login.output()).toMatchObject({ code: 0 });
    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await waitFor(async () => (await keycloak.sessions(name)) === 0, { what: "Keycloak's session to end" });
    await context.close();
    const whoami = () => run({ ...spec('whoami', '--json'), timeoutMs: 60_000 });
    const due = Date.parse(String(lastJson((await whoami()).output)['expires_at']));
    await waitFor(() => Date.now() > due, { what: 'the refresh to be due', timeoutMs: 3 * REFRESH_SECONDS * 1000 });
    expect(lastJson((await whoami()).output)).toMatchObject({ principal: `${name}@corp`, roles: ['admin'] });
    await keycloak.setEnabled(name, false);
    await waitFor(async () => (await whoami()).output.includes('login-ended'), { what: 'the login to end', timeoutMs: 90_000, everyMs: 1000 });
  });
});

describe('several providers and local accounts', () => {
  it('are a page to choose on; a page reports an unavailable provider, and an answer that does not count', async () => {
    const partner = await startOpenIdProvider([]);
    const provider = { id: 'partner', type: 'oidc', issuer: partner.issuer, client_id: 'lictor' };
    const config = configFor(keycloak, [provider, { id: 'local', type: 'accounts' }]);
    const both = await startGateway({ upstream: prefect, config, env: { IDP_SECRET: CLIENT.secret } });
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${both.url}/v2/flows`);
    expect(path(page)).toBe('/.lictor/login');
    await shootBoth(page, 'chooser');
    await page.getByRole('link', { name: 'Continue with corp' }).click();
    await page.waitForURL((url) => url.origin === keycloak.url);
    await page.goBack();
    await partner.close();
    // It was there a moment ago: so long nobody is asked again.
    const away = page.getByText('cannot be reached');
    await waitFor(
      async () => {
        await page.goto(`${both.url}/.lictor/login?idp=partner`).catch(() => undefined);
        return await away.isVisible();
      },
      { what: 'the page of a provider that is away', timeoutMs: 60_000 },
    );
    expect(await page.getByText('Try again in a minute').isVisible()).toBe(true);
    await shootBoth(page, 'away');
    await page.goto(`${both.url}/.lictor/callback/corp?state=${'A'.repeat(22)}&code=x`);
    await page.getByText('login-unknown').waitFor();
    await shootBoth(page, 'error');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    expect(path(page)).toBe('/.lictor/login');
    await context.close();
    await both.close();
  });
});
