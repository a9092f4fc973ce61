// A person logs in with an OAuth client: Keycloak in a real browser, the page of the gateway, the code, and tokens that are valid for agents alone.
import * as openid from 'openid-client';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { CLIENT, type Keycloak, sharedKeycloak } from '../env/keycloak.ts';
import { connectClient, mcpProgram } from '../env/mcp-clients.ts';
import { type Callback, openCallback } from '../env/mcp-login.ts';
import { answerConsent, openConsent } from '../env/oauth-person.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { start, waitFor } from '../env/process.ts';
import { openSocket } from '../env/socket.ts';

const prefect = sharedPrefect();
let keycloak: Keycloak;
let gateway: Gateway;
let browser: TestBrowser;
let context: BrowserContext;
let program: Callback;
let callback: string;
let client: openid.Configuration;

beforeAll(async () => {
  keycloak = await sharedKeycloak();
  const config = {
    identity_providers: [{ id: 'corp', type: 'oidc', issuer: keycloak.issuer, client_id: CLIENT.id, client_secret: '${IDP_SECRET}' }],
    roles: [{ role: 'operator', members: ['group:platform@corp'] }],
    oauth_clients: [{ id: 'inspector', name: 'MCP Inspector', redirect_uris: ['http://127.0.0.1/callback'] }],
  };
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect, config, env: { IDP_SECRET: CLIENT.secret } }), startBrowser()]);
  await keycloak.serve(gateway.url, 'corp');
  context = await browser.person();
  program = await openCallback();
  callback = program.url;
  client = await openid.discovery(new URL(gateway.url), 'inspector', undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
}, 400_000);
afterAll(async () => {
  await browser?.close();
  program?.close();
  await gateway?.close();
});

interface Asked {
  readonly verifier: string;
  readonly state: string;
  readonly url: URL;
}

async function ask(resource: string): Promise<Asked> {
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const request = { redirect_uri: callback, scope: 'prefect:read prefect:run', resource, state, code_challenge_method: 'S256' };
  const url = openid.buildAuthorizationUrl(client, { ...request, code_challenge: await openid.calculatePKCECodeChallenge(verifier) });
  return { verifier, state, url };
}

/** Opens the request in the person's browser and clicks. Answers the address at the client. */
async function decide(url: URL, button: 'Allow' | 'Refuse', to = callback): Promise<URL> {
  const page = await openConsent(context, url.href);
  await browser.shoot(page, `consent-${button.toLowerCase()}`);
  const words = (await page.locator('main').textContent()) ?? '';
  for (const text of ['MCP Inspector', 'alice@corp', '127.0.0.1', 'start and steer runs', '(MCP)', 'on this computer']) expect(words).toContain(text);
  return answerConsent(page, { button, to });
}

const redeem = (at: URL, { verifier, state }: Asked, more: Record<string, string> = {}) =>
  openid.authorizationCodeGrant(client, at, { pkceCodeVerifier: verifier, expectedState: state }, more);

describe('alice, with a client of oauth_clients', () => {
  it('allows it, and it acts as her at the interface for agents and nowhere else, until an administrator ends the login', async () => {
    const resource = `${gateway.url}/.lictor/mcp`;
    const asked = await ask(resource);
    const at = await decide(asked.url, 'Allow');
    expect(at.searchParams.get('iss')).toBe(gateway.url);
    const tokens = await redeem(at, asked, { resource });
    expect(tokens).toMatchObject({ scope: 'prefect:read prefect:run', expires_in: 600 });
    const token = tokens.access_token;

    const mcp = await connectClient('2026', { url: gateway.url, token });
    expect((await mcp.listTools()).tools.map(({ name }) => name)).toContain('run_deployment');
    await mcp.callTool({ name: 'get_deployments', arguments: {} });
    await mcp.close();
    const made = jsonLines(await gateway.lictorOk('audit', '--principal', 'alice@corp', '--json')).find(({ tool }) => tool === 'get_deployments');
    expect(made).toMatchObject({ decision: 'allow', credential_id: expect.stringMatching(/^login:/) });

    for (const path of ['/api/admin/version', '/.lictor/api/v1/me', '/.lictor/svc/none/']) {
      const answer = await gateway.fetch(path, { token });
      expect([path, answer.status, JSON.parse(await answer.text()).code]).toEqual([path, 401, 'token-audience']);
    }
    const socket = openSocket(gateway.url, '/api/events/out', { headers: { authorization: `Bearer ${token}` } });
    expect(await socket.ended).toMatchObject({ frames: [], status: 401 });

    const [login]: readonly Record<string, unknown>[] = JSON.parse(
      /^\[.*\]$/m.exec(await gateway.lictorOk('token', 'list', '--logins', '--json'))?.[0] ?? '[]',
    );
    expect(login).toMatchObject({ principal: 'alice@corp', client: 'inspector', audience: 'mcp' });
    const fresh = await openid.refreshTokenGrant(client, tokens.refresh_token ?? '');
    await gateway.lictorOk('token', 'revoke', String(login?.['id']));
    await expect(connectClient('2026', { url: gateway.url, token: fresh.access_token })).rejects.toThrow();
    await expect(openid.refreshTokenGrant(client, fresh.refresh_token ?? '')).rejects.toThrow();
  });

  it('refuses it, and it gets no code', async () => {
    const asked = await ask(`${gateway.url}/.lictor/mcp`);
    const at = await decide(asked.url, 'Refuse');
    expect(Object.fromEntries(at.searchParams)).toEqual({ error: 'access_denied', state: asked.state, iss: gateway.url });
  });

  it('loses the login when the code comes twice', async () => {
    const asked = await ask(`${gateway.url}/.lictor/mcp`);
    const at = await decide(asked.url, 'Allow');
    const tokens = await redeem(at, asked);
    await expect(redeem(at, asked)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(openid.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

it("the conformance tests of the MCP project for authorization servers pass: metadata and code grant, with alice's click", async () => {
  const port = await freePort();
  const options = ['--url', gateway.url, '--client-id', 'inspector', '--resource', `${gateway.url}/.lictor/mcp`, '--port', String(port)];
  const args = [await mcpProgram('conformance'), 'authorization', ...options];
  const running = await start({ name: 'conformance', command: process.execPath, args, env: process.env });
  const printed = (): string => /^http\S+\/oauth\/authorize\?\S+$/m.exec(running.output())?.[0] ?? '';
  await waitFor(() => printed() !== '', { what: 'the address of the authorization request', timeoutMs: 60_000 });
  await decide(new URL(`${printed()}&scope=${encodeURIComponent('prefect:read prefect:run')}`), 'Allow', `http://127.0.0.1:${port}/callback`);
  expect((await running.exited).code, running.output()).toBe(0);
  expect(running.output()).not.toMatch(/FAILURE|WARNING|SKIPPED/);
  expect(running.output()).toMatch(/authorization-code-grant/);
});

it('a request without PKCE, and one for another gateway, give the client an error', async () => {
  const { url } = await ask('https://other.example/.lictor/mcp');
  const page = await context.newPage();
  for (const [change, error] of [
    [() => url.searchParams.delete('nothing'), 'invalid_target'],
    [() => url.searchParams.delete('code_challenge'), 'invalid_request'],
  ] as const) {
    change();
    await page.goto(url.href);
    expect(new URL(page.url()).searchParams.get('error')).toBe(error);
  }
  await page.close();
});
