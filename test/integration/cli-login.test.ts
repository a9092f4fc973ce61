// `lictor login`, `whoami`, `logout` and `exec --as login` against a real gateway with built-in accounts; the authorization server by a certified client.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../env/browser-session.ts';
import { hostFor, runInHost } from '../env/commands/run-command.ts';
import { decideOnDevice } from '../env/device-person.ts';
import { type Account, type Gateway, jsonLines, lastJson, startGateway } from '../env/gateway.ts';
import { send, setState, tokenFor } from '../env/polled.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { type Finished, run, signalProcess, start, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { openSession, prefectOk, type StockSession } from './stock/session.ts';

const PATIENCE = { timeoutMs: 60_000 };
const prefect = sharedPrefect();
const home = mkdtempSync(join(tmpdir(), 'lictor-test-login-'));
const file = join(home, 'lictor', 'credentials.json');
let gateway: Gateway;
let alice: Account;
let session: Session;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  alice = await gateway.account('alice', 'deployer');
  session = await gateway.login(alice);
}, 120_000);
afterAll(async () => {
  await gateway?.close();
  rmSync(home, { recursive: true });
});

const spec = (args: readonly string[]) => ({
  name: `lictor ${args.join(' ')}`,
  command: process.execPath,
  args: [MAIN, ...args],
  cwd: home,
  env: { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home },
});
/** As a separate process, which runs beside others. */
const beside = (...args: string[]): Promise<Finished> => run({ ...spec(args), timeoutMs: 60_000 });
const cli = (...args: string[]): Promise<Finished> => {
  const { env } = spec(args);
  const host = hostFor(args, env);
  return host === undefined ? beside(...args) : runInHost(host, { args, env, timeoutMs: 60_000 });
};
const whoami = async (ask = cli): Promise<Record<string, unknown>> => lastJson((await ask('whoami', '--json')).output);

/** From the command to its end, with the click in between. */
async function logIn(...args: string[]): Promise<string> {
  const running = await start(spec(['login', gateway.url, ...args]));
  await waitFor(() => /^ {4}[A-Z]{4}-[A-Z]{4}$/m.test(running.output()), { what: 'the code', ...PATIENCE });
  const page = await decideOnDevice(gateway.url, session, /^ {4}([A-Z]{4}-[A-Z]{4})$/m.exec(running.output())?.[1] ?? '', 'allow');
  expect(page).toContain('You are logged in');
  expect(await running.exited, running.output()).toMatchObject({ code: 0 });
  return running.output();
}

const codeOf = async (answer: Response): Promise<string> => String(JSON.parse(await answer.text()).code);

const kept = (): Record<string, string> => JSON.parse(readFileSync(file, 'utf8')).logins[gateway.url];

/** As if the time of the access token were over. */
function expire(): void {
  const all = JSON.parse(readFileSync(file, 'utf8'));
  all.logins[gateway.url].expires_at = new Date().toISOString();
  writeFileSync(file, JSON.stringify(all));
}

describe('the command line', () => {
  it('logs in by the code that is allowed in the browser; what it keeps is the user’s alone', async () => {
    expect((await cli('whoami', gateway.url)).output).toContain(`You are not logged in at ${gateway.url}: lictor login ${gateway.url}`);
    const output = await logIn();
    expect(output).toContain(`${gateway.url}/.lictor/device?user_code=`);
    expect(output).toContain(`Logged in at ${gateway.url} as alice@local.`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(output).not.toMatch(/lc[urd]_/);
    expect(await whoami()).toMatchObject({ gateway: gateway.url, principal: 'alice@local', principal_kind: 'user', roles: ['deployer'] });
    expect((await cli('whoami')).output).toMatch(/^alice@local at http.*; roles: deployer/);
  });

  it('refreshes once, however many commands run at once, and the login goes on', async () => {
    const before = kept()['refresh_token'];
    expire();
    const all = await Promise.all([whoami(beside), whoami(beside), whoami(beside), whoami(beside)]);
    expect(all.map(({ principal }) => principal)).toEqual(['alice@local', 'alice@local', 'alice@local', 'alice@local']);
    expect(kept()['refresh_token']).not.toBe(before);
    const refreshes = jsonLines(await gateway.lictorOk('audit', '--action', 'token.refresh', '--json'));
    expect(refreshes).toMatchObject([{ decision: 'allow', principal: 'alice@local', grant_id: expect.any(String) }]);
  });

  it('runs a flow with a stock client under lictor exec; its records are the person’s, and outlive the browser’s session', async () => {
    const stock: StockSession = openSession(
      prefect,
      {
        venv: prefect.venv,
        url: gateway.url,
        credential: { carrier: 'none', token: '' },
        exec: ['--as', 'login'],
        settings: { XDG_CONFIG_HOME: home },
      },
      'login',
    );
    await gateway.fetch('/.lictor/logout', { method: 'POST', session });
    expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(401);
    session = await gateway.login(alice);
    const { code, output } = await stock.client.python(['-c', 'import stock; print("TOTAL", stock.mapped(3))']);
    expect(output).toContain('TOTAL 5');
    expect(code).toBe(0);
    await prefectOk(stock, 'work-pool', 'ls');
    const made = jsonLines(await gateway.lictorOk('audit', '--principal', 'alice@local', '--action', 'flow_runs.create', '--json'));
    expect(made.at(-1)).toMatchObject({ decision: 'allow', principal_kind: 'user', idp: 'local', credential_id: expect.stringMatching(/^login:/) });
    expect(output).not.toMatch(/lc[ur]_/);
  });

  it('is shut out while its person is locked, and not logged out by that', async () => {
    await gateway.lictorOk('lock', 'alice@local');
    expect(await cli('whoami')).toMatchObject({ code: 1, output: expect.stringContaining('locked') });
    expire();
    expect(await cli('whoami')).toMatchObject({ code: 1, output: expect.stringContaining('locked') });
    await gateway.lictorOk('unlock', 'alice@local');
    expect(await whoami()).toMatchObject({ principal: 'alice@local' });
    session = await gateway.login(alice);
  });

  it('gets less with a scope: a deployer who only wanted to read', async () => {
    const former = kept();
    await logIn('--scope', 'prefect:read');
    const token = kept()['access_token'] ?? '';
    expect(await whoami()).toMatchObject({ scopes: ['prefect:read'] });
    expect((await gateway.fetch('/api/admin/version', { token })).status).toBe(200);
    const read = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await gateway.fetch('/api/flows/filter', { ...read, token })).status).toBe(200);
    const refused = await gateway.fetch('/api/flows/', { ...read, body: '{"name":"x"}', token });
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'scope-missing']);
    // The login that was there before has ended with the new one.
    expect((await gateway.fetch('/api/admin/version', { token: former['access_token'] ?? '' })).status).toBe(401);
  });

  it('logs out: the next request is refused, an open socket closes, the file forgets it', async () => {
    const token = kept()['access_token'] ?? '';
    const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
    await waitFor(() => socket.frames().length > 0, { what: 'the socket to be let in', ...PATIENCE });
    expect((await cli('logout')).output).toContain(`Logged out at ${gateway.url}.`);
    expect((await socket.ended).code).toBe(1008);
    const after = await gateway.fetch('/api/admin/version', { token });
    expect([after.status, await codeOf(after)]).toEqual([401, 'login-ended']);
    expect(JSON.parse(readFileSync(file, 'utf8')).logins).toEqual({});
    expect((await cli('logout', gateway.url)).code).toBe(1);
    expect((await cli('exec', '--url', gateway.url, '--', 'true')).output).toContain('You are not logged in');
  });

  it('ends by a limit that a reload makes shorter, and the list says when; longer again, it stands again', async () => {
    await logIn();
    const before = readFileSync(gateway.configFile, 'utf8');
    const token = kept()['access_token'] ?? '';
    const read = async (): Promise<number> => (await gateway.fetch('/api/admin/version', { token })).status;
    const lives = async (): Promise<number[]> =>
      JSON.parse(await gateway.lictorOk('token', 'list', '--logins', '--json')).map(({ created_at: from, expires_at: to }: Readonly<Record<string, string>>) =>
        Math.round((Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000),
      );
    const reload = (text: string): void => {
      writeFileSync(gateway.configFile, text);
      signalProcess(gateway.pids().supervisor, 'SIGHUP');
    };
    expect([await read(), await lives()]).toEqual([200, [30 * 86_400]]);
    reload(`${before}\nsessions: { cli: 1s }\n`);
    await waitFor(async () => (await read()) === 401, { what: 'the shorter limit', ...PATIENCE });
    expect(await lives()).toEqual([1]);
    expire();
    expect(await cli('whoami')).toMatchObject({ code: 1, output: expect.stringContaining('lictor login') });
    reload(before);
    await waitFor(async () => (await read()) === 200, { what: 'the longer limit', ...PATIENCE });
  });
});

describe('the authorization server', () => {
  let client: openid.Configuration;
  beforeAll(async () => {
    client = await openid.discovery(new URL(gateway.url), 'lictor-cli', undefined, openid.None(), {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
  });
  /** The person has decided already, so that nothing is waited for. */
  const atOnce = (begun: openid.DeviceAuthorizationResponse) => ({ ...begun, interval: 0 });
  const obtained = async (parameters: Record<string, string> = {}, by = session) => {
    const begun = await openid.initiateDeviceAuthorization(client, parameters);
    await decideOnDevice(gateway.url, by, begun.user_code, 'allow');
    return await openid.pollDeviceAuthorizationGrant(client, atOnce(begun));
  };

  it('is what a certified client takes it for: metadata, device flow, ID token by a published key that is rotated, refresh, revocation', async () => {
    expect(client.serverMetadata()).toMatchObject({ issuer: gateway.url, device_authorization_endpoint: `${gateway.url}/.lictor/oauth/device_authorization` });
    openid.enableNonRepudiationChecks(client);
    const tokens = await obtained({ scope: 'openid prefect:run', resource: `${gateway.url}/api` });
    expect(tokens.claims()).toMatchObject({ iss: gateway.url, sub: 'alice@local', aud: 'lictor-cli' });
    const keys = async (): Promise<readonly { kid: string }[]> => JSON.parse(await (await gateway.fetch('/.well-known/lictor-jwks.json')).text()).keys;
    const [former] = await keys();
    await gateway.lictorOk('rotate', 'keys');
    expect((await keys()).map(({ kid }) => kid).slice(1)).toEqual([former?.kid]);
    const fresh = await openid.refreshTokenGrant(client, tokens.refresh_token ?? '');
    expect((await gateway.fetch('/api/admin/version', { token: fresh.access_token })).status).toBe(200);
    // A thief has copied the first refresh token: both are locked out.
    await expect(openid.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await gateway.fetch('/api/admin/version', { token: fresh.access_token })).status).toBe(401);
    const other = await obtained();
    await openid.tokenRevocation(client, other.refresh_token ?? '');
    expect((await gateway.fetch('/api/admin/version', { token: other.access_token })).status).toBe(401);
  });

  it.each([
    ['what was let do everything', {}, 200],
    ['what was let start runs and read no secrets', { scope: 'prefect:run' }, 403],
  ])('%s, as a worker, begins runs that may do the same', async (name, parameters, secrets) => {
    const boss = await gateway.login(await gateway.account(`boss-${secrets}`, 'admin'));
    const { access_token: token } = await obtained(parameters, boss);
    const server = directTo(prefect);
    const pool = `login-${secrets}-${Date.now().toString(36)}`;
    const template = { job_configuration: { env: '{{ env }}' }, variables: { type: 'object', properties: { env: { type: 'object' } } } };
    await server.post('/work_pools/', { name: pool, type: 'process', base_job_template: template });
    const flow = text(field(await server.post('/flows/', { name: pool }), 'id'));
    const deployment = text(field(await server.post('/deployments/', { name: pool, flow_id: flow, work_pool_name: pool }), 'id'));
    const begun = text(field(await server.post(`/deployments/${deployment}/create_flow_run`, {}), 'id'));
    const own = await tokenFor(gateway, pool, token, begun);
    expect((await setState(gateway, begun, token, 'PENDING')).status, name).toBe(201);
    for (const credential of [token, own]) {
      const read = (include_secrets: boolean) => send(gateway, 'POST', '/api/block_documents/filter', { token: credential, body: { include_secrets } });
      expect((await read(false)).status).toBe(200);
      const answer = await read(true);
      expect([answer.status, answer.status === 200 || (await codeOf(answer))]).toEqual([secrets, secrets === 200 || 'scope-missing']);
    }
  });

  it('lets nobody in who was refused, from elsewhere, or for another part', async () => {
    const begun = await openid.initiateDeviceAuthorization(client, {});
    const foreign = await gateway.fetch('/.lictor/device', {
      method: 'POST',
      session,
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ device: 'x', decision: 'allow' }),
    });
    expect(foreign.status).toBe(403);
    expect((await gateway.fetch('/.lictor/device', { method: 'POST', session, body: new URLSearchParams({ device: 'x', decision: 'allow' }) })).status).toBe(
      400,
    );
    await decideOnDevice(gateway.url, session, begun.user_code, 'refuse');
    await expect(openid.pollDeviceAuthorizationGrant(client, atOnce(begun))).rejects.toMatchObject({ error: 'access_denied' });
    const agents = await obtained({ resource: `${gateway.url}/.lictor/mcp` });
    const answer = await gateway.fetch('/api/admin/version', { token: agents.access_token });
    expect([answer.status, await codeOf(answer)]).toEqual([401, 'token-audience']);
    for (const path of ['/.lictor/oauth/authorize?response_type=code&client_id=x', '/.lictor/oauth/authorize'])
      expect((await gateway.fetch(path, { session })).status).toBe(400);
  });
});
