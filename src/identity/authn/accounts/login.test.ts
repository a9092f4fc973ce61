// Logging in and its throttle (SE-01).
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../config/config.ts';
import { createRoleBook } from '../roles.ts';
import { createSessions } from '../session/session.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { createTouches } from '../touches.ts';
import { createDevices, DEVICE_LIFE_MS } from './devices.ts';
import { createLogin, LOGIN_LIMITS, type Login, type LoginRequest } from './login.ts';
import { createPasswords, type PasswordCheck, type Passwords } from './password.ts';

const ALICE = { name: 'alice', password: 'correct horse', address: '192.0.2.1', oldCookieValue: '', device: '' } satisfies LoginRequest;

/** Right when the "hash" is the password: the real one is tried in the first test and in password.test.ts. */
function plainPasswords(answer?: PasswordCheck): Passwords {
  return { hash: async (password) => password, check: async (password, phc) => answer ?? (password === phc ? 'right' : 'wrong') };
}

let test: TestStore;
beforeEach(async () => {
  test = await openTestStore();
});
afterEach(() => test.close());

async function loginWith(passwords: Passwords, providers: Config['identityProviders'] = [{ id: 'local', type: 'accounts' }]): Promise<Login> {
  const roleBook = createRoleBook([]);
  const limits = { idleSeconds: 3600, absoluteSeconds: 86_400 };
  const sessions = createSessions({
    store: test.store.sessions,
    providers,
    limits,
    roleBook,
    touches: createTouches(() => {}),
    clock: test.clock,
  });
  const password = await passwords.hash('correct horse');
  await test.store.accounts.create({ id: '1', name: 'alice', roles: ['admin'], password });
  await test.store.accounts.create({ id: '2', name: 'nemo', roles: [], password });
  return createLogin({
    accounts: test.store.accounts,
    locks: test.store.locks,
    sessions,
    passwords,
    devices: createDevices(test.sealer, test.clock),
    config: { identityProviders: providers },
    roleBook,
    steady: test.steady,
  });
}

describe('a login', () => {
  it('with the right password starts a session; with a wrong one it does not', async () => {
    const login = await loginWith(createPasswords());
    expect(await login(ALICE)).toMatchObject({
      ok: true,
      principal: { id: 'alice@local', roles: ['admin'] },
      session: { cookieValue: expect.stringMatching(/^[\w-]{43}$/) },
    });
    expect(await login({ ...ALICE, password: 'correct horsf' })).toEqual({ ok: false, reason: 'login-failed', principalId: 'alice@local' });
  });

  it('of an unknown name fails like a wrong password, and does not repeat the typed text', async () => {
    const login = await loginWith(plainPasswords());
    expect(await login({ ...ALICE, name: 'mallory' })).toEqual({ ok: false, reason: 'login-failed', principalId: null });
    expect(await login({ ...ALICE, name: 'Alice' })).toEqual({ ok: false, reason: 'login-failed', principalId: null });
  });

  it('of a removed account fails', async () => {
    const login = await loginWith(plainPasswords());
    await test.store.accounts.remove('alice');
    expect(await login(ALICE)).toMatchObject({ ok: false, reason: 'login-failed' });
    expect(await login({ ...ALICE, password: '' })).toMatchObject({ ok: false, reason: 'login-failed' });
  });

  it('fails when the configuration has no accounts', async () => {
    const login = await loginWith(plainPasswords(), []);
    expect(await login(ALICE)).toEqual({ ok: false, reason: 'login-failed', principalId: null });
  });

  it('of an expiring account works also without built-in accounts; its session ends with it', async () => {
    const login = await loginWith(plainPasswords(), []);
    const expiresMs = test.clock() + 3_600_000;
    await test.store.accounts.create({ id: '3', name: 'emma', roles: ['admin'], password: await plainPasswords().hash('correct horse'), expiresMs });
    const result = await login({ ...ALICE, name: 'emma' });
    expect(result).toMatchObject({ ok: true, principal: { id: 'emma@break-glass', idp: 'break-glass', roles: ['admin'] } });
    expect((await test.store.sessions.byId(result.ok ? result.session.id : ''))?.expiresMs).toBe(expiresMs);
    test.advance(3_600_000);
    expect(await login({ ...ALICE, name: 'emma' })).toMatchObject({ ok: false, reason: 'login-failed', principalId: null });
  });

  it('of an account without a role starts no session, and reveals that only with the right password', async () => {
    const login = await loginWith(plainPasswords());
    expect(await login({ ...ALICE, name: 'nemo' })).toEqual({ ok: false, reason: 'policy-default-deny', principalId: 'nemo@local' });
    expect(await login({ ...ALICE, name: 'nemo', password: 'x' })).toMatchObject({ reason: 'login-failed' });
  });

  it('of an account that waits after a restore starts no session, and reveals that only with the right password', async () => {
    const login = await loginWith(plainPasswords());
    using db = new DatabaseSync(join(test.directory, 'lictor.db'));
    db.exec('UPDATE accounts SET held_ms = 1');
    expect(await login(ALICE)).toEqual({ ok: false, reason: 'credential-unconfirmed', principalId: 'alice@local' });
    expect(await login({ ...ALICE, password: 'x' })).toMatchObject({ reason: 'login-failed' });
    await test.store.accounts.confirm('alice');
    expect(await login(ALICE)).toMatchObject({ ok: true });
  });

  it('starts a new session each time and ends the former one (SE-01)', async () => {
    const login = await loginWith(plainPasswords());
    const first = await login(ALICE);
    const oldCookieValue = first.ok ? first.session.cookieValue : '';
    const second = await login({ ...ALICE, oldCookieValue });
    expect(second.ok && second.session.cookieValue).not.toBe(oldCookieValue);
    expect(await test.store.sessions.byId(first.ok ? first.session.id : '')).toBeUndefined();
    expect(await test.store.sessions.byId(second.ok ? second.session.id : '')).toBeDefined();
  });

  it('that fails does not end the former session', async () => {
    const login = await loginWith(plainPasswords());
    const first = await login(ALICE);
    await login({ ...ALICE, password: 'x', oldCookieValue: first.ok ? first.session.cookieValue : '' });
    expect(await test.store.sessions.byId(first.ok ? first.session.id : '')).toBeDefined();
  });
});

describe('throttling', () => {
  const fail = (login: Login, request: Partial<LoginRequest> = {}) => login({ ...ALICE, password: 'wrong', ...request });

  it('stops an account at an address after its failures, with the right password too, until the minute is over', async () => {
    const login = await loginWith(plainPasswords());
    for (let index = 0; index < LOGIN_LIMITS.perAccountAndAddress; index += 1) expect((await fail(login)).ok).toBe(false);
    test.advance(20_000);
    expect(await login(ALICE)).toEqual({ ok: false, reason: 'login-throttled', principalId: null, retryAfterSeconds: 40 });
    expect(await login({ ...ALICE, name: 'nemo' })).toMatchObject({ reason: 'policy-default-deny' });
    test.advance(40_000);
    expect((await login(ALICE)).ok).toBe(true);
  });

  it('does not let strangers lock the owner of an account out from one address, or from a few', async () => {
    const login = await loginWith(plainPasswords());
    for (let address = 0; address < 9; address += 1) {
      for (let index = 0; index < 20; index += 1) await fail(login, { address: `198.51.100.${address}` });
    }
    expect((await login(ALICE)).ok).toBe(true);
  });

  it('bounds guesses at an account from all addresses together; a success elsewhere does not reset it', async () => {
    const login = await loginWith(plainPasswords());
    const guess = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, (_none, index) => fail(login, { address: `2001:db8:${index}::1` })));
      return answers.filter((answer) => !answer.ok && answer.reason === 'login-failed').length;
    };
    expect(await guess(LOGIN_LIMITS.perAccount - 1)).toBe(LOGIN_LIMITS.perAccount - 1);
    expect((await login(ALICE)).ok).toBe(true);
    expect(await guess(200)).toBe(1);
    expect(await login(ALICE)).toMatchObject({ reason: 'login-throttled' });
    test.advance(60_000);
    expect((await login(ALICE)).ok).toBe(true);
  });

  it('stops names that do not exist in the same way', async () => {
    const login = await loginWith(plainPasswords());
    for (let index = 0; index < LOGIN_LIMITS.perAccountAndAddress; index += 1) await fail(login, { name: 'mallory' });
    expect(await fail(login, { name: 'mallory' })).toEqual({ ok: false, reason: 'login-throttled', principalId: null, retryAfterSeconds: 60 });
  });

  it('stops an address after its failures over many names, and no other address', async () => {
    const login = await loginWith(plainPasswords());
    for (let index = 0; index < LOGIN_LIMITS.perAddress; index += 1) await fail(login, { name: `name-${index}` });
    expect(await login(ALICE)).toMatchObject({ reason: 'login-throttled' });
    expect((await login({ ...ALICE, address: '198.51.100.1' })).ok).toBe(true);
  });

  it('lets a success clear the account at its address, and does not count it against the address', async () => {
    const login = await loginWith(plainPasswords());
    for (let round = 0; round < 3; round += 1) {
      for (let index = 1; index < LOGIN_LIMITS.perAccountAndAddress; index += 1) await fail(login);
      expect((await login(ALICE)).ok).toBe(true);
    }
  });

  it('does not let many simultaneous attempts pass', async () => {
    const login = await loginWith(plainPasswords());
    const answers = await Promise.all(Array.from({ length: 50 }, () => fail(login)));
    expect(answers.filter((answer) => !answer.ok && answer.reason === 'login-failed')).toHaveLength(LOGIN_LIMITS.perAccountAndAddress);
  });

  it('forgets no failure because of unchecked attempts with many names', async () => {
    const passwords: Passwords = {
      ...plainPasswords(),
      check: async (password) => (password === 'any' ? 'busy' : 'wrong'),
    };
    const login = await loginWith(passwords);
    for (let index = 0; index < LOGIN_LIMITS.perAccount; index += 1) await fail(login, { address: `2001:db8:${index}::1` });
    for (let index = 0; index <= LOGIN_LIMITS.keys; index += 1) {
      const request = { ...ALICE, name: `name-${index}`, password: 'any', address: `2001:db8:1:${index.toString(16)}::1` };
      expect(await login(request)).toMatchObject({ retryAfterSeconds: 2 });
    }
    expect(await fail(login, { address: '198.51.100.1' })).toMatchObject({ reason: 'login-throttled' });
  });

  it('asks to come back soon if too many passwords wait, and does not count that', async () => {
    const login = await loginWith(plainPasswords('busy'));
    for (let index = 0; index < 30; index += 1) expect(await login(ALICE)).toMatchObject({ reason: 'login-throttled', retryAfterSeconds: 2 });
  });

  it('counts an IPv6 network (/64) as one address, and a site (/48) separately', async () => {
    const login = await loginWith(plainPasswords());
    for (let index = 0; index < LOGIN_LIMITS.perAccountAndAddress; index += 1) await fail(login, { address: `2001:db8:1:1::${index}` });
    expect(await login({ ...ALICE, address: '2001:db8:1:1:ffff::1' })).toMatchObject({ reason: 'login-throttled' });
    expect((await login({ ...ALICE, address: '2001:db8:1:2::1' })).ok).toBe(true);
    for (let index = 5; index < LOGIN_LIMITS.perAccountAndSite; index += 1) await fail(login, { address: `2001:db8:1:1${index}::1` });
    expect(await login({ ...ALICE, address: '2001:db8:1:ffff::1' })).toMatchObject({ reason: 'login-throttled' });
    expect((await login({ ...ALICE, address: '2001:db8:2:1::1' })).ok).toBe(true);
  });

  it('stops a site (/48) after its failures over many names, and no other site', async () => {
    const login = await loginWith(plainPasswords());
    for (let index = 0; index < LOGIN_LIMITS.perSite; index += 1) await fail(login, { name: `name-${index}`, address: `2001:db8:1:${index}::1` });
    expect(await login({ ...ALICE, address: '2001:db8:1:ffff::1' })).toMatchObject({ reason: 'login-throttled' });
    expect((await login({ ...ALICE, address: '2001:db8:2:1::1' })).ok).toBe(true);
  });
});

describe('a device that logged in before', () => {
  const deviceOf = (result: Awaited<ReturnType<Login>>): string => (result.ok ? result.device : '');
  /** As many failures of strangers as there can be in a minute. */
  async function lockOut(login: Login): Promise<void> {
    for (let index = 0; index < LOGIN_LIMITS.perAccount; index += 1) await login({ ...ALICE, password: 'wrong', address: `2001:db8:${index}::1` });
    for (let index = 0; index < LOGIN_LIMITS.perAccountAndAddress; index += 1) await login({ ...ALICE, password: 'wrong' });
    expect(await login(ALICE)).toMatchObject({ reason: 'login-throttled' });
  }

  it('is not throttled by strangers, also not at its own address', async () => {
    const login = await loginWith(plainPasswords());
    const device = deviceOf(await login(ALICE));
    await lockOut(login);
    const again = await login({ ...ALICE, device });
    expect(again.ok).toBe(true);
    expect([deviceOf(again) === device, deviceOf(again)]).toEqual([false, expect.stringMatching(/^[\w-]{60,200}$/)]);
    expect(await login(ALICE)).toMatchObject({ reason: 'login-throttled' });
  });

  it('counts its own failures, which do not count for others', async () => {
    const login = await loginWith(plainPasswords());
    const device = deviceOf(await login(ALICE));
    const fails = async () => (await login({ ...ALICE, password: 'wrong', device })).ok;
    for (let index = 0; index < LOGIN_LIMITS.perDevice; index += 1) expect(await fails()).toBe(false);
    expect(await login({ ...ALICE, device })).toMatchObject({ reason: 'login-throttled', retryAfterSeconds: 60 });
    expect((await login(ALICE)).ok).toBe(true);
    test.advance(60_000);
    expect((await login({ ...ALICE, device })).ok).toBe(true);
  });

  it('is recognised only for its account, until its time ends, the password changes, or the cookie is altered', async () => {
    const login = await loginWith(plainPasswords());
    const device = deviceOf(await login(ALICE));
    const other = deviceOf(await login({ ...ALICE, name: 'nemo' })) || 'x';
    await lockOut(login);
    for (const wrong of [other, '', `${device.startsWith('A') ? 'B' : 'A'}${device.slice(1)}`, `${device}AAAA`])
      expect(await login({ ...ALICE, device: wrong }), wrong).toMatchObject({ reason: 'login-throttled' });
    expect((await login({ ...ALICE, device })).ok).toBe(true);
    await test.store.accounts.setPassword('alice', 'another horse');
    expect(await login({ ...ALICE, device })).toMatchObject({ reason: 'login-throttled' });
    await test.store.accounts.setPassword('alice', 'correct horse');
    test.advance(DEVICE_LIFE_MS);
    await lockOut(login);
    expect(await login({ ...ALICE, device })).toMatchObject({ reason: 'login-throttled' });
  });

  it('waits before strangers, and these by network', async () => {
    const places: unknown[] = [];
    const passwords: Passwords = {
      ...plainPasswords(),
      check: async (_password, _phc, place) => {
        places.push(place);
        return 'right';
      },
    };
    const login = await loginWith(passwords);
    const device = deviceOf(await login(ALICE));
    await login({ ...ALICE, device, address: '2001:db8:1:2::3' });
    await login({ ...ALICE, name: 'nobody', device });
    expect(places).toEqual([
      { from: '192.0.2.1', isKnown: false },
      { from: '2001:db8:1::/48', isKnown: true },
      { from: '192.0.2.1', isKnown: false },
    ]);
  });
});
