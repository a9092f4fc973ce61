// SCIM through nginx: a conformance client, credentials, and floods. oidc.test.ts deactivates a person under load.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenIdProvider, startOpenIdProvider } from '../../src/identity/authn/oidc/openid-provider.fixture.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { run } from '../env/process.ts';
import { scimProgram } from '../env/scim-client.ts';

const TOKEN = 'scim-test-token-scim-test-token-0123456789';

let directory: string;
let idp: OpenIdProvider;
let gateway: Gateway;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-scim-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  chmodSync(tokenFile, 0o600);
  idp = await startOpenIdProvider(['http://localhost/.lictor/callback/corp']);
  gateway = await startGateway({
    upstream: sharedPrefect(),
    config: {
      identity_providers: [
        { id: 'local', type: 'accounts' },
        { id: 'corp', type: 'oidc', issuer: idp.issuer, client_id: idp.client.id, client_secret: '${IDP_SECRET}' },
      ],
      scim: { token_file: tokenFile },
    },
    env: { IDP_SECRET: idp.client.secret },
  });
});
afterAll(async () => {
  await gateway?.close();
  await idp?.close();
  if (directory !== undefined) rmSync(directory, { recursive: true });
});

it('passes every check of scim2-tester', async () => {
  const env = { PATH: process.env['PATH'], HOME: directory, SCIM_CLI_HEADERS: `Authorization: Bearer ${TOKEN}` };
  const args = ['--url', `${gateway.url}/.lictor/scim/v2`, 'test'];
  const { code, output } = await run({ name: 'scim2-tester', command: await scimProgram(), args, env });
  expect(output.match(/^(?:ERROR|CRITICAL|SKIPPED|COMPLIANT).*\n.*$/gm) ?? [], output).toEqual([]);
  expect([code, (output.match(/^SUCCESS/gm) ?? []).length > 50], output).toEqual([0, true]);
  const records = jsonLines(await gateway.lictorOk('audit', '--json', '--principal', 'scim:corp'));
  expect(records.map(({ action }) => action)).toContain('scim.users.create');
});

it('nginx passes no credential but the token of SCIM, and rejects a larger body', async () => {
  const { secret } = await gateway.token('boss', ['admin']);
  const session = await gateway.login(await gateway.account('root', 'admin'));
  const get = async (init: Parameters<Gateway['fetch']>[1]) => (await gateway.fetch('/.lictor/scim/v2/Users', init)).status;
  expect([await get({}), await get({ token: secret }), await get({ session }), await get({ token: TOKEN })]).toEqual([401, 401, 401, 200]);
  expect((await gateway.fetch('/api/admin/version', { token: TOKEN })).status).toBe(401);
  const body = ' '.repeat(5 << 20);
  const large = await gateway.fetch('/.lictor/scim/v2/Users', { method: 'POST', token: TOKEN, headers: { 'content-type': 'application/scim+json' }, body });
  expect(large.status).toBe(413);
});

it('the commands of docs/how-to/google.md send a person and a group, and end the access of the person', async () => {
  const [first, last] = ['export TOKEN=', 'scim $SCIM/Users/$alice'].map((beginning) => docsBlock('how-to/google.md', beginning));
  const script = `${first}echo\n${last}`.replace('/etc/lictor/scim-token', join(directory, 'token')).replace('https://prefect.example.com', gateway.url);
  const { code, output } = await run({ name: 'scim', command: 'sh', args: ['-ec', script], env: { PATH: process.env['PATH'] } });
  expect(code, output).toBe(0);
  const [group, user] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(group).toMatchObject({ displayName: 'data-platform', members: [{ value: user.id }] });
  expect(user).toMatchObject({ userName: 'alice@acme.example', active: false });
});

it('the requests of a first synchronisation wait for their turn, and a flood is rejected', async () => {
  const status = async (signal: AbortSignal) => (await gateway.fetch('/.lictor/scim/v2/ServiceProviderConfig', { token: TOKEN, signal })).status;
  // Beside those of the checks above, which may fill the 200 that pass at once.
  const atOnce = (count: number, { signal }: AbortController) => Array.from({ length: count }, () => status(signal));
  expect(new Set(await Promise.all(atOnce(150, new AbortController())))).toEqual(new Set([200]));
  const flood = new AbortController();
  const rejected = atOnce(600, flood).map(async (answered) => ((await answered) === 429 ? 429 : Promise.reject(new Error('not rejected'))));
  const first = await Promise.any(rejected).catch(() => 'none');
  flood.abort();
  expect(first).toBe(429);
});
