// Without any identity provider, an account from the machine lets an administrator in for an hour, and the ledger records it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { signalProcess, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;

beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder, config: { identity_providers: [] }, env: { CLIENT_SECRET: 'not-a-secret' } });
  const away = { id: 'corp', type: 'oidc', issuer: `http://127.0.0.1:${await freePort()}`, client_id: 'lictor', client_secret: '${CLIENT_SECRET}' };
  const config = { ...parse(readFileSync(gateway.configFile, 'utf8')), identity_providers: [away], roles: [{ role: 'viewer', members: ['*@corp'] }] };
  writeFileSync(gateway.configFile, stringify(config));
  signalProcess(gateway.pids().supervisor, 'SIGHUP');
  await waitFor(() => gateway.terminal().includes('applied'), { what: 'the reload' });
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

const loginPage = async () => (await gateway.fetch('/.lictor/login', { headers: { accept: 'text/html' } })).text();
const breakGlassCheck = async () =>
  JSON.parse((await gateway.lictor('doctor', '--json')).output).findings.find(({ check }: { check: string }) => check === 'break-glass');

it('lets an administrator in for an hour; recorded, shown by doctor, and over at once when it is removed', async () => {
  expect(await loginPage()).not.toContain('type="password"');
  expect(await breakGlassCheck()).toMatchObject({ status: 'ok' });

  const emma = await gateway.account('emma', 'admin');
  expect(await loginPage()).toContain('type="password"');
  const session = await gateway.login(emma);
  const created = await gateway.fetch('/api/variables/', {
    method: 'POST',
    session,
    headers: { 'content-type': 'application/json' },
    body: '{"name":"a","value":1}',
  });
  expect(created.status).toBe(200);
  const me = JSON.parse(await (await gateway.fetch('/.lictor/api/v1/me', { session })).text());
  expect(me).toMatchObject({ principal: 'emma@break-glass', roles: ['admin'] });
  expect(Date.parse(me.expires_at) - Date.now()).toBeLessThanOrEqual(3_600_000);
  expect(await breakGlassCheck()).toMatchObject({ status: 'warn', message: expect.stringContaining('emma') });

  const records = async (...query: string[]) => jsonLines(await gateway.lictorOk('audit', '--json', ...query));
  expect(await records('--action', 'account.break_glass')).toMatchObject([{ resource_id: 'emma', principal: expect.stringMatching(/^local:/) }]);
  await waitFor(async () => (await records('--principal', 'emma@break-glass')).length >= 2, { what: 'the login and the write in the ledger', everyMs: 200 });

  await gateway.lictorOk('account', 'remove', 'emma');
  expect((await gateway.fetch('/.lictor/api/v1/me', { session })).status).toBe(401);
  expect(await loginPage()).not.toContain('type="password"');
});

it('a lock on it holds over a reload after which its provider is called otherwise, and the log says on whom', async () => {
  const emma = await gateway.account('emma', 'admin');
  const session = await gateway.login(emma);
  await gateway.lictorOk('lock', 'emma@break-glass');
  expect((await gateway.fetch('/api/variables/', { session })).status).toBe(403);
  const reload = async (providers: readonly object[]): Promise<void> => {
    const before = gateway.terminal().length;
    writeFileSync(gateway.configFile, stringify({ ...parse(readFileSync(gateway.configFile, 'utf8')), identity_providers: providers, roles: [] }));
    signalProcess(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(() => gateway.terminal().slice(before).includes('applied'), { what: 'the reload' });
  };
  await reload([{ id: 'people', type: 'accounts' }]);
  const refused = await gateway.fetch('/api/variables/', { session });
  expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'locked' }]);
  expect(readFileSync(join(gateway.stateDir, 'log', 'control.log'), 'utf8')).toContain('it holds on emma@people');
  await gateway.lictorOk('unlock', 'emma@break-glass');
  expect((await gateway.fetch('/.lictor/api/v1/me', { session })).status).toBe(200);
});
