// Login by SAML at Keycloak through the gateway, in a real browser: deep link, no role, several tabs, logout from both sides.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { logInAtKeycloak, withoutUi } from '../env/keycloak-person.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { openSocket } from '../env/socket.ts';

const prefect = sharedPrefect();
let keycloak: Keycloak;
let gateway: Gateway;
let browser: TestBrowser;
let client: string;

beforeAll(async () => {
  keycloak = await sharedKeycloak();
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect, config: configFor(keycloak) }), startBrowser()]);
  client = await keycloak.serveSaml(await (await gateway.fetch('/.lictor/saml/corp/metadata')).text());
}, 400_000);
afterAll(async () => {
  if (client !== undefined) await keycloak.admin('DELETE', `/clients/${client}`);
  await browser?.close();
  await gateway?.close();
});

function configFor({ issuer }: Keycloak): Readonly<Record<string, unknown>> {
  return {
    identity_providers: [{ id: 'corp', type: 'saml', metadata_url: `${issuer}/protocol/saml/descriptor` }],
    roles: [{ role: 'admin', members: ['group:platform@corp'] }],
  };
}

const status = async (context: BrowserContext, url = '/api/admin/version'): Promise<number> => (await context.request.get(`${gateway.url}${url}`)).status();

/** A new person of the group, logged in. */
async function loggedIn(prefix: string): Promise<{ readonly name: string; readonly context: BrowserContext; readonly page: Page }> {
  const { name, password } = await keycloak.addUser(`${prefix}-${Date.now().toString(36)}`, ['platform']);
  const context = await withoutUi(await browser.person());
  const page = await context.newPage();
  await page.goto(`${gateway.url}/v2/flows`);
  await logInAtKeycloak(page, { name, password });
  await page.waitForURL((url) => url.pathname === '/v2/flows');
  return { name, context, page };
}

describe('login by SAML', () => {
  it('alice: from the deep link straight to Keycloak, and back to it', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    expect(new URL(page.url()).origin).toBe(keycloak.url);
    await logInAtKeycloak(page, PEOPLE.alice);
    await page.waitForURL((url) => url.pathname === '/v2/flows');
    await page.getByText('Flows').first().waitFor();
    // Prefect's UI has further cookies.
    const cookies = (await context.cookies(gateway.url)).filter(({ name }) => name.startsWith('lictor'));
    expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([['lictor', true, 'Lax']]);
    expect(await status(context)).toBe(200);
    const me: unknown = await (await context.request.get(`${gateway.url}/.lictor/api/v1/me`)).json();
    expect(JSON.stringify(me)).toContain('alice@corp');
    await context.close();
  });

  it('bob: has no group, and sees the page that names it; nothing is his', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    await logInAtKeycloak(page, PEOPLE.bob);
    await page.getByText('No access yet').waitFor();
    expect(await page.locator('.groups').textContent()).toBe('platform');
    expect((await context.cookies(gateway.url)).length).toBe(0);
    expect(await status(context)).toBe(401);
    // As another person: Keycloak asks again, though it remembers bob.
    await page.getByRole('link', { name: 'Sign in as another person' }).click();
    await page.locator('#password').waitFor();
    await context.close();
  });

  it('a person whose name differs from another one only by an invisible character is not that person', async () => {
    const { name } = await keycloak.addUser(`saml-owner-${Date.now().toString(36)}`, ['platform']);
    const impostor = await keycloak.addUser(`${name}\uFEFF`, ['platform']);
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/v2/flows`);
    await logInAtKeycloak(page, impostor);
    await page.getByText('You are not signed in').waitFor();
    expect(await page.locator('code').first().textContent()).toBe('assertion-invalid');
    expect(await status(context)).toBe(401);
    await context.close();
  });

  it('two tabs at once: both land, each where it wanted to', async () => {
    const context = await browser.person();
    const [one, two] = [await context.newPage(), await context.newPage()];
    await one.goto(`${gateway.url}/v2/flows`);
    await two.goto(`${gateway.url}/v2/variables`);
    await logInAtKeycloak(two, PEOPLE.alice);
    await two.waitForURL((url) => url.pathname === '/v2/variables');
    // Keycloak's page in the other tab notices the login by itself, and goes on; where it misses that, its person opens the page again.
    const landed = (url: URL): boolean => url.pathname === '/v2/flows';
    await one.waitForURL(landed, { timeout: 60_000 }).catch(async () => {
      expect(new URL(one.url()).origin, (await one.locator('body').textContent()) ?? '').toBe(keycloak.url);
      await one.goto(`${gateway.url}/v2/flows`);
      await one.waitForURL(landed);
    });
    // The first session ended with the second login: a page whose request was under way with it logs in once more by itself.
    await waitFor(async () => (await status(context)) === 200, { what: 'both tabs to be settled', timeoutMs: 120_000 });
    await context.close();
  });

  it('one that began at Keycloak is refused: nobody knows whether this browser wanted it', async () => {
    const context = await browser.person();
    const page = await context.newPage();
    await page.goto(`${keycloak.issuer}/protocol/saml/clients/lictor-saml`);
    await logInAtKeycloak(page, PEOPLE.alice);
    await page.getByText('You are not signed in').waitFor();
    expect(await page.locator('code').first().textContent()).toBe('login-unknown');
    expect(await status(context)).toBe(401);
    await context.close();
  });
});

describe('logout', () => {
  it('here ends both sessions: the next login asks for the password again', async () => {
    const { name, context, page } = await loggedIn('saml-leaver');
    expect(await keycloak.sessions(name)).toBe(1);
    await page.goto(`${gateway.url}/.lictor/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await waitFor(async () => (await keycloak.sessions(name)) === 0, { what: "Keycloak's session to end" });
    expect(await status(context)).toBe(401);
    await page.goto(`${gateway.url}/v2/flows`);
    await page.locator('#username').waitFor();
    await context.close();
  });

  it('at Keycloak ends the session here, and its open sockets', async () => {
    const { name, context, page } = await loggedIn('saml-ended');
    // Keycloak notifies the gateway before it ends the session: an open page would log in again in between.
    await page.goto('about:blank');
    const cookie = (await context.cookies(gateway.url)).find((candidate) => candidate.name.startsWith('lictor'));
    const socket = openSocket(gateway.url, '/api/events/out', {
      headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: gateway.url },
      first: { type: 'auth', token: null },
    });
    expect(await socket.opened).toBe(true);
    expect(await status(context)).toBe(200);
    await keycloak.logOut(name);
    await waitFor(async () => (await status(context)) === 401, { what: 'the session to end' });
    expect([1008, 1012]).toContain((await socket.ended).code);
    // Behind the end itself, which must not wait for it.
    const records = () => gateway.lictorOk('audit', '--action', 'session.backchannel_logout', '--json');
    await waitFor(async () => (await records()).includes(`"${name}@corp"`), { what: 'the record' });
    await context.close();
  });
});
