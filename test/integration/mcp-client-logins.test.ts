// Real clients of MCP log alice in with their own OAuth code, at Keycloak in Chromium. Each knows the address of the endpoint and its client id alone.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { CLIENT, sharedKeycloak } from '../env/keycloak.ts';
import { type ClientKind, callPatiently, type McpClient, mcpProgram, mcpVenv, type ToolResult } from '../env/mcp-clients.ts';
import { type Callback, type Login, logInWithClient, openCallback } from '../env/mcp-login.ts';
import { answerConsent, openAsAlice, openConsent } from '../env/oauth-person.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { type Running, run, start, waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const flow = `logins-${Date.now().toString(36)}`;
const RESOURCE_METADATA = '/.well-known/oauth-protected-resource/.lictor/mcp';
const SERVER_METADATA = '/.well-known/oauth-authorization-server';

let gateway: Gateway;
let browser: TestBrowser;
let alice: BrowserContext;
let callback: Callback;
let endpoint: string;
let deployment: string;

beforeAll(async () => {
  const flowId = text(field(await server.post('/flows/', { name: flow }), 'id'));
  const parameter_openapi_schema = { type: 'object', properties: { day: { type: 'integer' } } };
  const made = await server.post('/deployments/', { name: 'nightly', flow_id: flowId, parameter_openapi_schema, enforce_parameter_schema: false });
  deployment = text(field(made, 'id'));
  const keycloak = await sharedKeycloak();
  const agent = { sponsor: 'user:alice@corp', roles: [{ role: 'agent' }], taint: 'allow' };
  const config = {
    identity_providers: [{ id: 'corp', type: 'oidc', issuer: keycloak.issuer, client_id: CLIENT.id, client_secret: '${IDP_SECRET}' }],
    roles: [{ role: 'operator', members: ['group:platform@corp'] }],
    oauth_clients: [
      { id: 'typescript', name: 'TypeScript', redirect_uris: ['http://127.0.0.1/callback'] },
      { id: 'inspector', name: 'MCP Inspector', redirect_uris: ['http://127.0.0.1/oauth/callback'] },
      { id: 'fastmcp', name: 'FastMCP', redirect_uris: ['http://localhost/callback'] },
      { id: 'copilot', name: 'Copilot', redirect_uris: ['http://127.0.0.1/callback'] },
    ],
    agents: [
      { ...agent, name: 'copilot', credential: 'client:copilot' },
      { ...agent, name: 'shell', credential: 'token' },
    ],
    approvals: [{ name: 'agent-runs', principals: ['agent:*'], actions: ['deployments.run'], approvers: 'sponsor' }],
  };
  [gateway, browser, callback] = await Promise.all([
    startGateway({ upstream: prefect, config, env: { IDP_SECRET: CLIENT.secret } }),
    startBrowser(),
    openCallback(),
  ]);
  await keycloak.serve(gateway.url, 'corp');
  alice = await browser.person();
  endpoint = `${gateway.url}/.lictor/mcp`;
}, 400_000);
afterAll(async () => {
  await browser?.close();
  callback?.close();
  await gateway?.close();
});

async function allow(url: URL, to = callback.url): Promise<URL> {
  return answerConsent(await openConsent(alice, url.href), { button: 'Allow', to });
}

async function decide(url: string, decision: 'approve' | 'deny'): Promise<void> {
  const page = await openAsAlice(alice, url);
  await page.click(`button[value=${decision}]`);
  await page.waitForSelector(`h1:has-text("${decision === 'approve' ? 'Approved' : 'Denied'}")`);
  await page.close();
}

const logIn = (kind: ClientKind, { clientId = 'typescript', capabilities = {} } = {}): Promise<Login> =>
  logInWithClient(kind, { url: endpoint, clientId, callback: callback.url, inBrowser: allow, capabilities });

const idsIn = (result: unknown): readonly string[] => list(field(result, 'deployments')).map((each) => text(field(each, 'id')));

async function runs(): Promise<number> {
  return list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } } })).length;
}

describe.each<ClientKind>(['2026', '2025', '1.x'])('the client in TypeScript, %s', (kind) => {
  it('finds the server, logs in, lists and calls, refreshes its login, and is out when the administrator ends it', async () => {
    const login = await logIn(kind);
    const steps = login.asked.filter((path) => [RESOURCE_METADATA, SERVER_METADATA].includes(path));
    expect([login.asked[0], ...new Set(steps)]).toEqual(['/.lictor/mcp', RESOURCE_METADATA, SERVER_METADATA]);
    const client = await login.connect();
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('run_deployment');
    const found = async () => idsIn((await client.callTool({ name: 'get_deployments', arguments: { limit: 200 } })).structuredContent);
    expect(await found()).toContain(deployment);

    const { provider } = login;
    const before = provider.saved;
    provider.saved = { ...before, access_token: 'no-token' };
    expect(await found()).toContain(deployment);
    expect(provider.saved.refresh_token).not.toBe(before?.refresh_token);

    await gateway.lictorOk('token', 'revoke', await latestLogin('typescript'));
    await expect(found()).rejects.toThrow();
    await client.close();
  });
});

async function latestLogin(client: string): Promise<string> {
  const printed = await gateway.lictorOk('token', 'list', '--logins', '--json');
  const logins: readonly Record<string, unknown>[] = JSON.parse(/^\[.*\]$/m.exec(printed)?.[0] ?? '[]');
  return text(
    logins
      .filter((login) => login['client'] === client)
      .map(({ id }) => id)
      .at(-1),
  );
}

/** A program that prints the address of its authorization request: alice allows it. */
async function allowed(program: Running, to: string): Promise<string> {
  const printed = () => /http\S+\/oauth\/authorize\?\S+/.exec(program.output())?.[0] ?? '';
  await waitFor(() => printed() !== '' || !program.running(), { what: 'the address of the authorization request', timeoutMs: 120_000 });
  expect(printed(), program.output()).not.toBe('');
  await allow(new URL(printed()), to);
  expect((await program.exited).code, program.output()).toBe(0);
  return program.output().trim();
}

describe.each(['legacy', 'modern'])('the inspector on the command line, protocol era %s', (era) => {
  it('logs in, lists, and calls with the stored login', async () => {
    const home = mkdtempSync(join(gateway.stateDir, '..', 'inspector-'));
    const to = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const options = ['--cli', '--server-url', endpoint, '--transport', 'http', '--client-id', 'inspector', '--callback-url', to, '--protocol-era', era];
    const program = await mcpProgram('inspector');
    const inspect = (...args: readonly string[]) => ({
      name: `inspector ${era}`,
      command: process.execPath,
      args: [program, ...options, '--format', 'json', ...args],
      // It begins a login without a terminal only if it may open a browser.
      env: { PATH: process.env['PATH'], HOME: home, BROWSER: 'true', MCP_AUTO_OPEN_ENABLED: 'true', MCP_INSPECTOR_SECRET_STORE: 'file' },
    });
    expect(await allowed(await start(inspect('--method', 'tools/list')), to)).toContain('get_flow_runs');
    const called = await run(inspect('--stored-auth-only', '--quiet', '--method', 'tools/call', '--tool-name', 'get_deployments'));
    expect(called.output).toContain(deployment);
  });
});

it('FastMCP in Python logs in, lists and calls', async () => {
  const venv = await mcpVenv();
  const program = await start({
    name: 'fastmcp',
    command: join(venv, 'bin/python'),
    args: [join(import.meta.dirname, 'mcp/fastmcp-client.py'), 'get_deployments', '{"limit": 200}'],
    // Python opens the address with this command.
    env: { PATH: process.env['PATH'], HOME: gateway.stateDir, BROWSER: 'echo %s', LICTOR_MCP_URL: endpoint, LICTOR_MCP_CLIENT: 'fastmcp' },
  });
  const output = await allowed(program, 'http://localhost:');
  const answer = JSON.parse(output.split('\n').findLast((line) => line.startsWith('{')) ?? '');
  expect(answer.tools).toContain('cancel_flow_run');
  expect(idsIn(answer.result)).toContain(deployment);
});

it('all of them acted as alice, each by its own login', async () => {
  const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'alice@corp', '--json')).filter(({ tool }) => tool === 'get_deployments');
  expect(new Set(records.map((record) => record['credential_id'])).size).toBe(6);
});

describe('a call that waits for alice', () => {
  const call = (client: McpClient, day: number): Promise<ToolResult> => callPatiently(client, 'run_deployment', { deployment, parameters: { day } });
  const errorOf = (result: ToolResult) => field(result.structuredContent, 'error');

  it('sends the client of the second generation to the page; its own second attempt runs the flow once, and none that she denies', async () => {
    const login = await logIn('2026', { clientId: 'copilot', capabilities: { elicitation: { url: {} } } });
    const client = await login.connect();
    let decision: 'approve' | 'deny' = 'approve';
    const shown: unknown[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(await runs());
      await decide(text(field(params, 'url')), decision);
      return { action: 'accept' };
    });
    const before = await runs();
    const done = await call(client, 1);
    expect([done.isError ?? false, field(done.structuredContent, 'success')], JSON.stringify(done)).toEqual([false, true]);
    expect([shown, await runs()]).toEqual([[before], before + 1]);
    expect(errorOf(await call(client, 1))).toMatchObject({ code: 'approval-used' });

    decision = 'deny';
    expect(errorOf(await call(client, 2))).toMatchObject({ code: 'approval-denied' });
    expect([shown.length, await runs()]).toEqual([2, before + 1]);
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'agent:copilot', '--json'));
    expect(records.find(({ action, decision }) => action === 'deployments.run' && decision === 'allow')).toMatchObject({ on_behalf_of: ['alice@corp'] });
    await client.close();
  });

  it('gives the client of the first generation the address; its next call runs the flow once', async () => {
    const client = await (await logIn('1.x', { clientId: 'copilot' })).connect();
    const before = await runs();
    const held = errorOf(await call(client, 3));
    expect(held).toMatchObject({ code: 'approval-required' });
    expect(errorOf(await call(client, 3))).toMatchObject({ code: 'approval-required', approval_id: field(held, 'approval_id') });
    await decide(text(field(held, 'url')), 'approve');
    expect((await call(client, 3)).structuredContent).toMatchObject({ success: true });
    expect(errorOf(await call(client, 3))).toMatchObject({ code: 'approval-used' });
    expect(await runs()).toBe(before + 1);
    await client.close();
  });

  it('holds the stock command line, which runs the flow once after the approval', async () => {
    const { secret } = await gateway.token('shell', []);
    const command = join(prefect.venv, 'bin/prefect');
    const own = { PREFECT_API_URL: `${gateway.url}/api`, PREFECT_API_AUTH_STRING: `any:${secret}`, COLUMNS: '2000' };
    const env = { PATH: process.env['PATH'], HOME: gateway.stateDir, ...own };
    const attempt = async () => (await run({ name: 'prefect', command, args: ['deployment', 'run', `${flow}/nightly`, '--param', 'day=4'], env })).output;
    const before = await runs();
    const held = await attempt();
    const [url = ''] = /http\S+\/\.lictor\/approvals\/[\w-]+/.exec(held) ?? [];
    expect(url, held).not.toBe('');
    expect(await runs()).toBe(before);
    await decide(url, 'approve');
    expect(await attempt()).toContain('Created flow run');
    expect(await attempt()).not.toContain('Created flow run');
    expect(await runs()).toBe(before + 1);
  });
});
