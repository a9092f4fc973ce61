// What every store must do, whatever is behind it: a backend's test calls this with its own way to open one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../contract/clock.ts';
import type { Identity } from '../contract/identity.ts';
import type { LockKind } from '../contract/lock.ts';
import { NOWHERE } from '../contract/scope.ts';
import { LOGIN_ATTEMPT_LIMITS } from './login-attempts.ts';
import type { Store } from './store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** A second handle on the same data, as another process has one. */
  readonly other: Store;
  cleanUp(): Promise<void>;
}

const HOUR_MS = 3_600_000;

export function describeStoreContract(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let nowMs = 0;
    beforeEach(async () => {
      nowMs = 1_700_000_000_000;
      under = await open(() => nowMs);
    });
    afterEach(() => under.cleanUp());
    const advance = (ms: number): void => {
      nowMs += ms;
    };
    describe('change number', () => changeNumberCases(() => under));
    describe('tokens', () => tokenCases(() => under, advance));
    describe('accounts', () => accountCases(() => under, advance));
    describe('sessions', () => sessionCases(() => under, advance));
    describe('login attempts', () => attemptCases(() => under, advance));
    describe('identities', () => identityCases(() => under));
    describe('sessions of identities', () => identitySessionCases(() => under, advance));
    describe('marks', () => markCases(() => under, advance));
    describe('locks', () => lockCases(() => under, advance));
    describe('access tokens', () => accessTokenCases(() => under, advance));
    describe('scopes and makers', () => scopeCases(() => under));
    describe('policy sets', () => policySetCases(() => under, advance));
  });
}

function policySetCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const by = { by: 'local:root', why: 'because' };

  it('are kept whole, newest first, also when numbers begin anew', async () => {
    const { store, other } = get();
    expect(await store.policySets.latest()).toBeUndefined();
    await store.policySets.put({ revision: 7, files: { 'a.cedar': 'x' }, ...by });
    advance(1);
    await store.policySets.put({ revision: 2, files: {}, ...by });
    expect(await other.policySets.latest()).toEqual({ revision: 2, files: {}, createdMs: 1_700_000_000_001, ...by });
    expect((await other.policySets.list()).map(({ revision, files }) => [revision, files])).toEqual([
      [2, {}],
      [7, { 'a.cedar': 'x' }],
    ]);
  });

  it('are forgotten when they did not come into force', async () => {
    const { store, other } = get();
    await store.policySets.put({ revision: 1, files: { 'a.cedar': 'x' }, ...by });
    await store.policySets.put({ revision: 2, files: {}, ...by });
    await store.policySets.forget(2);
    expect((await other.policySets.latest())?.revision).toBe(1);
  });
}

/** How far the change number moved while `work` ran, as seen by the other handle. */
async function movedBy(under: StoreUnderTest, work: () => Promise<unknown>): Promise<number> {
  const before = await under.other.changeNumber();
  await work();
  return (await under.other.changeNumber()) - before;
}

function changeNumberCases(get: () => StoreUnderTest): void {
  it('grows by one with each bump and is seen by others', async () => {
    const { store, other } = get();
    const before = await store.changeNumber();
    expect(await store.bump('test')).toBe(before + 1);
    expect(await other.changeNumber()).toBe(before + 1);
  });

  it('counts every one of many bumps through two handles at once', async () => {
    const { store, other } = get();
    const before = await store.changeNumber();
    await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? store : other).bump('test')));
    expect(await store.changeNumber()).toBe(before + 40);
  });
}

function newToken(overrides: object = {}) {
  return { id: 'aaaaaaaaaa', name: 'etl', roles: ['worker', 'viewer'], cidrs: ['10.0.0.0/8'], lifetimeMs: HOUR_MS, hash: 'hash-1', ...overrides };
}

function tokenCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('gives back what was put in', async () => {
    const { store, other } = get();
    expect(await store.tokens.create(newToken())).toBe(true);
    const token = await other.tokens.byId('aaaaaaaaaa');
    expect(token).toMatchObject({ name: 'etl', roles: ['worker', 'viewer'], cidrs: ['10.0.0.0/8'], lifetimeMs: HOUR_MS, revokedMs: null, lastUsedMs: null });
    expect(token?.secrets).toEqual([{ hash: 'hash-1', createdMs: token?.createdMs, expiresMs: (token?.createdMs ?? 0) + HOUR_MS }]);
    expect(await store.tokens.byName('etl')).toEqual(token);
  });

  it('knows no other id and no other name', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    expect(await store.tokens.byId('aaaaaaaaab')).toBeUndefined();
    expect(await store.tokens.byName('ETL')).toBeUndefined();
  });

  it('keeps names unique among the live, and frees the name of a revoked one', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    expect(await store.tokens.create(newToken({ id: 'bbbbbbbbbb', hash: 'hash-2' }))).toBe(false);
    expect(await store.tokens.byId('bbbbbbbbbb')).toBeUndefined();
    await store.tokens.revoke('aaaaaaaaaa');
    expect(await store.tokens.create(newToken({ id: 'bbbbbbbbbb', hash: 'hash-2' }))).toBe(true);
    expect((await store.tokens.list()).map((token) => token.id)).toEqual(['aaaaaaaaaa', 'bbbbbbbbbb']);
  });

  it('revokes once, with a change that others see, and keeps the row', async () => {
    const { store, other } = get();
    await store.tokens.create(newToken());
    expect(await movedBy(get(), () => store.tokens.revoke('aaaaaaaaaa'))).toBe(1);
    expect((await other.tokens.byId('aaaaaaaaaa'))?.revokedMs).not.toBeNull();
    expect(await movedBy(get(), () => store.tokens.revoke('aaaaaaaaaa'))).toBe(0);
    expect(await store.tokens.revoke('zzzzzzzzzz')).toBe(false);
  });

  it('rotates: the new secret has the full lifetime, the old one the overlap, and there are never three', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    advance(1000);
    expect(await movedBy(get(), () => store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-2', overlapMs: 5000 }))).toBe(1);
    const rotated = await store.tokens.byId('aaaaaaaaaa');
    const createdMs = rotated?.createdMs ?? 0;
    expect(rotated?.secrets.map(({ hash, expiresMs }) => [hash, (expiresMs ?? 0) - createdMs])).toEqual([
      ['hash-2', 1000 + HOUR_MS],
      ['hash-1', 6000],
    ]);
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-3', overlapMs: 5000 });
    expect((await store.tokens.byId('aaaaaaaaaa'))?.secrets.map(({ hash }) => hash)).toEqual(['hash-3', 'hash-2']);
  });

  it('never lengthens the old secret by an overlap, and rotates neither unknown nor revoked tokens', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-2', overlapMs: 2 * HOUR_MS });
    const token = await store.tokens.byId('aaaaaaaaaa');
    expect(token?.secrets.find(({ hash }) => hash === 'hash-1')?.expiresMs).toBe((token?.createdMs ?? 0) + HOUR_MS);
    await store.tokens.revoke('aaaaaaaaaa');
    expect(await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-3', overlapMs: 0 })).toBe(false);
    expect(await store.tokens.rotate({ id: 'zzzzzzzzzz', hash: 'hash-4', overlapMs: 0 })).toBe(false);
  });

  it('moves last used forwards only, and without a change', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    expect(await movedBy(get(), () => store.tokens.touch('aaaaaaaaaa', 5000))).toBe(0);
    await store.tokens.touch('aaaaaaaaaa', 4000);
    expect((await store.tokens.byId('aaaaaaaaaa'))?.lastUsedMs).toBe(5000);
  });
}

const ALICE = { id: 'account-1', name: 'alice', roles: ['admin'], password: 'phc-1' };

function accountCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('end by themselves when they were made so, with their sessions, and their name is free again', async () => {
    const { store, other } = get();
    const expiresMs = 1_700_000_000_000 + HOUR_MS;
    await store.accounts.create({ ...ALICE, expiresMs });
    await store.sessions.create({ id: 's1', account: ALICE, expiresMs: expiresMs + HOUR_MS });
    expect(await other.sessions.byId('s1')).toMatchObject({ expiresMs, owner: { account: { expiresMs } } });
    advance(HOUR_MS - 1);
    expect(await other.accounts.byName('alice')).toMatchObject({ expiresMs });
    expect(await store.accounts.create({ ...ALICE, id: 'account-2' })).toBe(false);
    advance(1);
    expect(await other.accounts.byName('alice')).toBeUndefined();
    expect(await other.accounts.list()).toEqual([]);
    expect(await store.accounts.create({ ...ALICE, id: 'account-2' })).toBe(true);
    expect(await other.accounts.byName('alice')).toMatchObject({ id: 'account-2', expiresMs: null });
  });

  it('gives back what was put in, by name only', async () => {
    const { store, other } = get();
    expect(await store.accounts.create(ALICE)).toBe(true);
    expect(await other.accounts.byName('alice')).toMatchObject(ALICE);
    expect(await other.accounts.byName('Alice')).toBeUndefined();
  });

  it('keeps names unique, and frees the name of a removed one without reviving it', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    expect(await store.accounts.create({ ...ALICE, id: 'account-2' })).toBe(false);
    expect(await store.accounts.remove('alice')).toBe(true);
    expect(await store.accounts.byName('alice')).toBeUndefined();
    expect(await store.accounts.create({ ...ALICE, id: 'account-2', password: 'phc-2' })).toBe(true);
    expect(await store.accounts.list()).toMatchObject([{ id: 'account-2', password: 'phc-2' }]);
  });

  it('changes the password with a change, and nothing for an unknown name', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    expect(await movedBy(get(), () => store.accounts.setPassword('alice', 'phc-2'))).toBe(1);
    expect((await store.accounts.byName('alice'))?.password).toBe('phc-2');
    expect(await movedBy(get(), () => store.accounts.setPassword('bob', 'phc-2'))).toBe(0);
    expect(await movedBy(get(), () => store.accounts.remove('bob'))).toBe(0);
  });

  it('ends the sessions of an account that is removed or gets a new password, and no others', async () => {
    const { store } = get();
    const bob = { ...ALICE, id: 'account-2', name: 'bob' };
    await store.accounts.create(ALICE);
    await store.accounts.create(bob);
    await store.sessions.create({ id: 'alice-1', account: ALICE, expiresMs: 2e12 });
    await store.sessions.create({ id: 'bob-1', account: bob, expiresMs: 2e12 });
    await store.accounts.setPassword('alice', 'phc-2');
    expect(await store.sessions.byId('alice-1')).toBeUndefined();
    await store.sessions.create({ id: 'alice-2', account: { ...ALICE, password: 'phc-2' }, expiresMs: 2e12 });
    expect(await movedBy(get(), () => store.accounts.remove('alice'))).toBe(1);
    expect(await store.sessions.byId('alice-2')).toBeUndefined();
    expect((await store.sessions.byId('bob-1'))?.owner).toEqual({
      kind: 'account',
      account: { id: 'account-2', name: 'bob', roles: ['admin'], scope: null, expiresMs: null },
    });
  });
}

function scopeCases(get: () => StoreUnderTest): void {
  const scope = { ...NOWHERE, tags: ['team-a'], own: true };

  it('keeps on what the roles of a token and an account hold, for sessions too', async () => {
    const { store, other } = get();
    await store.tokens.create({ id: 'aaaaaaaaaa', name: 'etl', roles: ['worker'], scope, cidrs: [], lifetimeMs: null, hash: 'hash-1' });
    await store.tokens.create({ id: 'bbbbbbbbbb', name: 'whole', roles: ['worker'], cidrs: [], lifetimeMs: null, hash: 'hash-2' });
    expect((await other.tokens.byId('aaaaaaaaaa'))?.scope).toEqual(scope);
    expect((await other.tokens.byId('bbbbbbbbbb'))?.scope).toBeNull();
    await store.accounts.create({ ...ALICE, scope });
    expect((await other.accounts.byName('alice'))?.scope).toEqual(scope);
    await store.sessions.create({ id: 's1', account: ALICE, expiresMs: 2e12 });
    expect((await other.sessions.byId('s1'))?.owner).toMatchObject({ account: { name: 'alice', scope } });
  });

  it('knows the first maker of an object until it is gone', async () => {
    const { store, other } = get();
    await store.makers.put('Deployment', 'd', 'bob@local');
    await store.makers.put('Deployment', 'd', 'eve@local');
    expect(await other.makers.of('Deployment', 'd')).toBe('bob@local');
    expect(await other.makers.of('Variable', 'd')).toBeNull();
    await other.makers.forget('Deployment', 'd');
    expect(await store.makers.of('Deployment', 'd')).toBeNull();
  });
}

function sessionCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('starts none for an account that was removed or whose password changed after it was verified', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    expect(await store.sessions.create({ id: 's1', account: ALICE, expiresMs: 2e12 })).toBe(true);
    await store.accounts.setPassword('alice', 'phc-2');
    expect(await store.sessions.create({ id: 's2', account: ALICE, expiresMs: 2e12 })).toBe(false);
    await store.accounts.remove('alice');
    expect(await store.sessions.create({ id: 's3', account: { ...ALICE, password: 'phc-2' }, expiresMs: 2e12 })).toBe(false);
    expect(await store.sessions.create({ id: 's4', account: { ...ALICE, password: '' }, expiresMs: 2e12 })).toBe(false);
  });

  it('ends once, with a change', async () => {
    const { store, other } = get();
    await store.accounts.create(ALICE);
    await store.sessions.create({ id: 's1', account: ALICE, expiresMs: 2e12 });
    expect((await other.sessions.byId('s1'))?.expiresMs).toBe(2e12);
    expect(await movedBy(get(), () => store.sessions.end('s1'))).toBe(1);
    expect(await other.sessions.byId('s1')).toBeUndefined();
    expect(await movedBy(get(), () => store.sessions.end('s1'))).toBe(0);
  });

  it('moves last seen forwards only, without a change', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    await store.sessions.create({ id: 's1', account: ALICE, expiresMs: 2e12 });
    const before = (await store.sessions.byId('s1'))?.lastSeenMs ?? 0;
    expect(await movedBy(get(), () => store.sessions.touch('s1', before + 500))).toBe(0);
    await store.sessions.touch('s1', before + 400);
    expect((await store.sessions.byId('s1'))?.lastSeenMs).toBe(before + 500);
  });

  it('prunes what is over or idle, and nothing else', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    await store.sessions.create({ id: 'idle', account: ALICE, expiresMs: 2e12 });
    advance(HOUR_MS);
    await store.sessions.create({ id: 'over', account: ALICE, expiresMs: 1_700_000_000_000 + HOUR_MS });
    await store.sessions.create({ id: 'live', account: ALICE, expiresMs: 2e12 });
    expect(await store.sessions.prune({ nowMs: 1_700_000_000_000 + HOUR_MS, seenBeforeMs: 1_700_000_000_000 + HOUR_MS })).toBe(2);
    expect(await store.sessions.byId('live')).toBeDefined();
  });
}

function attemptCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('keeps an address, reads it often and takes it once', async () => {
    const { store, other } = get();
    await store.loginAttempts.create({ id: 'a1', returnTo: '/runs?x=%2F' });
    expect(await other.loginAttempts.read('a1')).toBe('/runs?x=%2F');
    expect(await other.loginAttempts.take('a1')).toBe('/runs?x=%2F');
    expect(await store.loginAttempts.take('a1')).toBeUndefined();
    expect(await store.loginAttempts.read('a2')).toBeUndefined();
  });

  it('gives an answered attempt to its provider alone, and once', async () => {
    const { store, other } = get();
    const attempt = { id: 'a1', returnTo: '/runs', idp: 'corp', sealed: 'sealed' };
    await store.loginAttempts.create(attempt);
    expect(await store.loginAttempts.takeAnswered('a1', 'adfs')).toBeUndefined();
    expect(await other.loginAttempts.takeAnswered('a1', 'corp')).toEqual(attempt);
    expect(await store.loginAttempts.takeAnswered('a1', 'corp')).toBeUndefined();
    await store.loginAttempts.create(attempt);
    advance(LOGIN_ATTEMPT_LIMITS.lifeMs);
    expect(await store.loginAttempts.takeAnswered('a1', 'corp')).toBeUndefined();
  });

  it('forgets an address that is too old', async () => {
    const { store } = get();
    await store.loginAttempts.create({ id: 'a1', returnTo: '/runs' });
    advance(LOGIN_ATTEMPT_LIMITS.lifeMs);
    expect(await store.loginAttempts.read('a1')).toBeUndefined();
    expect(await store.loginAttempts.take('a1')).toBeUndefined();
  });

  it('holds a bounded number, dropping the oldest', async () => {
    const { store } = get();
    await store.loginAttempts.create({ id: 'first', returnTo: '/' });
    advance(1);
    for (let index = 1; index < LOGIN_ATTEMPT_LIMITS.rows; index += 1) await store.loginAttempts.create({ id: `a${index}`, returnTo: '/' });
    expect(await store.loginAttempts.read('first')).toBe('/');
    await store.loginAttempts.create({ id: 'one too many', returnTo: '/' });
    expect(await store.loginAttempts.read('first')).toBeUndefined();
    expect(await store.loginAttempts.read('one too many')).toBe('/');
  }, 60_000);
}

const DANA: Identity = { idp: 'corp', subject: 'sub-1', name: 'dana', kind: 'user', groups: ['platform'], claims: { email: 'dana@example.com' } };

function identityCases(get: () => StoreUnderTest): void {
  it('keeps who somebody is; only a change of it is a change', async () => {
    const { store, other } = get();
    let id: string | undefined;
    expect(
      await movedBy(get(), async () => {
        id = await store.identities.put(DANA);
      }),
    ).toBe(0);
    expect(await other.identities.byId(id ?? '')).toEqual(DANA);
    expect(await movedBy(get(), () => store.identities.put({ ...DANA, claims: { email: 'dana@example.com' } }))).toBe(0);
    expect(await movedBy(get(), () => store.identities.put({ ...DANA, groups: [] }))).toBe(1);
    expect(await store.identities.byName('corp', 'dana')).toEqual({ ...DANA, groups: [] });
    expect(await store.identities.put(DANA)).toBe(id);
  });

  it('gives a name to one subject until it is forgotten; another provider has its own names', async () => {
    const { store } = get();
    await store.identities.put(DANA);
    expect(await store.identities.put({ ...DANA, subject: 'sub-2' })).toBeUndefined();
    expect(await store.identities.byName('corp', 'dana')).toMatchObject({ subject: 'sub-1' });
    expect(await store.identities.put({ ...DANA, idp: 'adfs', subject: 'sub-2' })).toBeDefined();
    expect(await movedBy(get(), () => store.identities.forget('corp', 'dana'))).toBe(1);
    expect(await store.identities.forget('corp', 'dana')).toBe(false);
    expect(await store.identities.put({ ...DANA, subject: 'sub-2' })).toBeDefined();
    expect(await store.identities.list()).toMatchObject([
      { idp: 'adfs', name: 'dana' },
      { idp: 'corp', subject: 'sub-2' },
    ]);
  });

  it('a new name of the same subject is the same identity', async () => {
    const { store } = get();
    const id = await store.identities.put(DANA);
    expect(await store.identities.put({ ...DANA, name: 'dana.x' })).toBe(id);
    expect(await store.identities.byName('corp', 'dana')).toBeUndefined();
  });
}

function identitySessionCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const start = async (id: string, identityId: string, idpSession: string | null) =>
    await get().store.sessions.createForIdentity({ id, identityId, idpSession, refreshAfterMs: 5, expiresMs: 2e12 });

  it('belong to the identity as it is now', async () => {
    const { store, other } = get();
    const id = (await store.identities.put(DANA)) ?? '';
    await start('s1', id, 'sid-1');
    await store.identities.put({ ...DANA, groups: ['other'] });
    expect(await other.sessions.byId('s1')).toMatchObject({
      owner: { kind: 'identity', identityId: id, identity: { ...DANA, groups: ['other'] } },
      idpSession: 'sid-1',
      refreshAfterMs: 5,
    });
    await store.sessions.setRefreshAfter('s1', 7);
    expect((await store.sessions.byId('s1'))?.refreshAfterMs).toBe(7);
  });

  it('end by the word of their provider: by its session, by the subject, and no others', async () => {
    const { store } = get();
    const dana = (await store.identities.put(DANA)) ?? '';
    const eve = (await store.identities.put({ ...DANA, subject: 'sub-2', name: 'eve' })) ?? '';
    const elsewhere = (await store.identities.put({ ...DANA, idp: 'adfs' })) ?? '';
    await start('d1', dana, 'sid-1');
    await start('d2', dana, 'sid-2');
    await start('e1', eve, 'sid-3');
    await start('x1', elsewhere, 'sid-1');
    await store.idpTokens.put('d1', 'sealed');
    const { sessions } = store;
    expect(await sessions.endOfProvider({ idp: 'corp' })).toEqual([]);
    expect(await sessions.endOfProvider({ idp: 'corp', idpSession: 'sid-1', subject: 'sub-2' })).toEqual([]);
    expect(await movedBy(get(), () => sessions.endOfProvider({ idp: 'corp', idpSession: 'sid-1' }))).toBe(1);
    expect(await store.idpTokens.read('d1')).toBeUndefined();
    expect(await sessions.endOfProvider({ idp: 'corp', subject: 'sub-1' })).toEqual([{ id: 'd2', name: 'dana' }]);
    expect(await sessions.byId('e1')).toBeDefined();
    expect(await sessions.byId('x1')).toBeDefined();
    await store.identities.forget('corp', 'eve');
    expect(await sessions.byId('e1')).toBeUndefined();
  });

  it('take the tokens of the provider along, however they end', async () => {
    const { store } = get();
    const id = (await store.identities.put(DANA)) ?? '';
    await start('s1', id, null);
    await start('s2', id, null);
    for (const owner of ['s1', 's2']) await store.idpTokens.put(owner, 'first');
    await store.idpTokens.put('s1', 'second');
    expect(await store.idpTokens.read('s1')).toBe('second');
    await store.sessions.end('s1');
    expect(await store.idpTokens.read('s1')).toBeUndefined();
    advance(HOUR_MS);
    await store.sessions.prune({ nowMs: 1_700_000_000_000 + HOUR_MS, seenBeforeMs: 1_700_000_000_000 + HOUR_MS });
    expect(await store.idpTokens.read('s2')).toBeUndefined();
  });
}

function markCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('are new once, for all who share the store, and again only when they have run out', async () => {
    const { store, other } = get();
    const expiresMs = 1_700_000_000_000 + HOUR_MS;
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : other).marks.once('jti', 'a', expiresMs)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await store.marks.once('assertion', 'a', expiresMs)).toBe(true);
    advance(HOUR_MS);
    expect(await store.marks.once('jti', 'a', expiresMs + HOUR_MS)).toBe(true);
  });
}

function lockCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const put = (kind: LockKind, value: string, expiresMs: number | null = null) =>
    get().store.locks.put({ kind, value, why: 'lost', by: 'local:root', expiresMs });

  it('hold for all who share the store, oldest first, and each setting and taking away is a change', async () => {
    const { store, other } = get();
    expect(await movedBy(get(), () => put('principal', 'alice@local'))).toBe(1);
    advance(1);
    await put('address', '10.0.0.0/8');
    expect((await other.locks.list()).map(({ kind, value }) => [kind, value])).toEqual([
      ['principal', 'alice@local'],
      ['address', '10.0.0.0/8'],
    ]);
    expect((await other.locks.list())[0]).toMatchObject({ why: 'lost', by: 'local:root', createdMs: 1_700_000_000_000, expiresMs: null });
    expect(await movedBy(get(), () => store.locks.remove({ kind: 'principal', value: 'alice@local' }))).toBe(1);
    expect(await movedBy(get(), () => store.locks.remove({ kind: 'principal', value: 'alice@local' }))).toBe(0);
    expect(await store.locks.remove({ kind: 'session', value: '10.0.0.0/8' })).toBe(false);
    expect(await other.locks.list()).toHaveLength(1);
  });

  it('end by themselves, and a second one on the same target replaces the first', async () => {
    const { store } = get();
    await put('idp', 'okta', 1_700_000_000_000 + HOUR_MS);
    advance(HOUR_MS - 1);
    expect(await store.locks.list()).toHaveLength(1);
    await put('idp', 'okta', 1_700_000_000_000 + 2 * HOUR_MS);
    advance(1);
    expect(await store.locks.list()).toHaveLength(1);
    advance(HOUR_MS);
    expect(await store.locks.list()).toEqual([]);
    expect(await store.locks.remove({ kind: 'idp', value: 'okta' })).toBe(false);
  });
}

function accessTokenCases(under: () => StoreUnderTest, advance: (ms: number) => void): void {
  const identity: Identity = { idp: 'ci', subject: 's', name: 'n', kind: 'service', groups: ['g'], claims: { b: '2', a: '1' } };
  const create = (id: string, more: Partial<Identity> = {}) =>
    under().store.accessTokens.create({
      id,
      hash: `h-${id}`,
      identity: { ...identity, ...more },
      trust: 't',
      proof: 'jwt:1',
      expiresMs: 1_700_000_000_000 + HOUR_MS,
    });

  it('are read back whole by the other handle', async () => {
    await create('a');
    expect(await under().other.accessTokens.byId('a')).toEqual({
      id: 'a',
      hash: 'h-a',
      identity,
      trust: 't',
      proof: 'jwt:1',
      createdMs: 1_700_000_000_000,
      expiresMs: 1_700_000_000_000 + HOUR_MS,
      revokedMs: null,
    });
    expect(await under().store.accessTokens.byId('b')).toBeUndefined();
  });

  it('are live until they end or are revoked, once, with a change', async () => {
    await create('a');
    await create('b');
    expect((await under().other.accessTokens.live()).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await movedBy(under(), () => under().store.accessTokens.revoke('a'))).toBe(1);
    expect(await under().store.accessTokens.revoke('a')).toBe(false);
    expect((await under().other.accessTokens.live()).map(({ id }) => id)).toEqual(['b']);
    advance(HOUR_MS);
    expect(await under().other.accessTokens.live()).toEqual([]);
    expect(await under().store.accessTokens.revoke('b')).toBe(false);
  });

  it('of one identity are revoked together, and nobody else is', async () => {
    await create('a');
    await create('b');
    await create('other-name', { name: 'm' });
    await create('other-idp', { idp: 'x' });
    expect(await under().store.accessTokens.revokeOf('ci', 'n')).toBe(2);
    expect((await under().other.accessTokens.live()).map(({ id }) => id)).toEqual(['other-idp', 'other-name']);
    expect(await under().store.accessTokens.revokeOf('ci', 'n')).toBe(0);
  });

  it('are forgotten an hour after their end, by the next one that is given', async () => {
    await create('a');
    advance(2 * HOUR_MS);
    expect(await under().store.accessTokens.byId('a')).toBeDefined();
    advance(1);
    await create('b');
    expect(await under().store.accessTokens.byId('a')).toBeUndefined();
  });
}
