// lictor token list --logins, and the end of a login by its id.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

let root = '';
beforeEach(async () => {
  root = makeMemoryDir('lictor-logins-');
  configure('');
  await makeLogins(['alice', 'bob']);
});
afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({
    args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args],
    out,
    err,
    env: {},
    cwd: root,
    pause: async () => undefined,
  });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

function configure(more: string): void {
  const base = 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nidentity_providers: [{ id: local, type: accounts }]\n';
  writeFileSync(join(root, 'lictor.yaml'), base + more);
}

/** Logins with the given age, with or without a session of the browser. */
async function makeLogins(names: readonly string[], { agoMs = 0, onSession = false } = {}): Promise<void> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: () => systemClock() - agoMs });
  const rest = { clientId: 'lictor-cli', scopes: ['prefect:read'], audience: 'api' } as const;
  for (const name of names) {
    await store.accounts.create({ id: `account-${name}`, name, roles: ['viewer'], password: 'x' });
    await store.deviceCodes.create({ ...rest, id: name, hash: `hash ${name}`, userHash: `user ${name}`, openid: false, address: '192.0.2.1', userAgent: '' });
    const times = { refreshAfterMs: null, expiresMs: systemClock() - agoMs + 60_000 };
    await store.sessions.create({ id: `session-${name}`, account: { id: `account-${name}`, password: 'x' }, expiresMs: times.expiresMs });
    const owner = { accountId: `account-${name}`, identityId: null, sessionId: onSession ? `session-${name}` : null, allowedIn: `session-${name}` };
    await store.deviceCodes.decide(name, { ...rest, ...times, ...owner, id: `login-${name}` });
    await store.deviceCodes.redeem(name, { refreshHash: `refresh ${name}`, access: { id: `access ${name}`, hash: `access hash ${name}`, ...times } });
  }
  await store.close();
}

const principals = async () => JSON.parse((await lictor('token', 'list', '--logins', '--json')).out).map(({ principal }: { principal: string }) => principal);

it('shows whose they are and what they may, and never a secret', async () => {
  const { status, out } = await lictor('token', 'list', '--logins');
  expect([status, out]).toEqual([0, expect.stringMatching(/login-alice +alice@local +lictor-cli +api +prefect:read/)]);
  expect(out + (await lictor('token', 'list', '--logins', '--json')).out).not.toMatch(/hash|refresh/);
  expect(await lictor('token', 'list', '--logins', '--access')).toMatchObject({ status: 2 });
});

it('shows until when they last by the limits as they are now, also of those that a shorter one has ended: they may still have to be revoked', async () => {
  await makeLogins(['carol'], { agoMs: 30_000 });
  await makeLogins(['dave'], { agoMs: 30_000, onSession: true });
  const names = ['alice', 'bob', 'carol', 'dave'].map((name) => `${name}@local`);
  const lives = async () =>
    JSON.parse((await lictor('token', 'list', '--logins', '--json')).out).map(({ principal, created_at: from, expires_at: to }: Record<string, string>) => [
      principal,
      Date.parse(to ?? '') - Date.parse(from ?? ''),
    ]);
  const allLive = (ms: number) => Object.fromEntries(names.map((name) => [name, expect.toSatisfy((life: number) => Math.abs(life - ms) < 5000)]));
  expect(Object.fromEntries(await lives())).toEqual(allLive(60_000));
  configure('sessions: { cli: 50s }\n');
  expect(Object.fromEntries(await lives())).toEqual(allLive(50_000));
  configure('sessions: { cli: 20s }\n');
  expect(Object.fromEntries(await lives())).toEqual(allLive(20_000));
  configure('sessions: { idle: 10s }\n');
  expect(Object.fromEntries(await lives())).toEqual({ ...allLive(60_000), 'dave@local': expect.toSatisfy((life: number) => Math.abs(life - 10_000) < 5000) });
});

it('ends one by its id, records it, and leaves the others', async () => {
  expect(await lictor('token', 'revoke', 'login-alice')).toMatchObject({ status: 0, out: 'The login login-alice has ended.\n' });
  expect(await principals()).toEqual(['bob@local']);
  const records = (await lictor('audit', '--action', 'token.revoke', '--json')).out;
  expect(records).toContain('"resource_type":"Login","resource_id":"login-alice"');
  expect(await lictor('token', 'revoke', 'login-alice')).toMatchObject({ status: 1 });
});
