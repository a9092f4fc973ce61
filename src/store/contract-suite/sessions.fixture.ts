// What every store must do: sessions, and the logins on the way to one.
import { expect, it } from 'vitest';
import { LOGIN_ATTEMPT_LIMITS } from '../login-attempts.ts';
import type { SessionQuery } from '../sessions.ts';
import { ALICE, DANA } from './people.fixture.ts';
import { movedBy } from './records.fixture.ts';
import { HOUR_MS, type StoreUnderTest } from './under-test.fixture.ts';

export function sessionCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
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
    expect(await movedBy(get(), () => store.sessions.touch('s1', before + 500, '192.0.2.7'))).toBe(0);
    await store.sessions.touch('s1', before + 400, '192.0.2.8');
    expect(await store.sessions.byId('s1')).toMatchObject({ lastSeenMs: before + 500, lastSeenFrom: '192.0.2.7' });
  });

  it('lists the newest first, without those of removed accounts, and notes the login of the account', async () => {
    const { store } = get();
    await store.accounts.create(ALICE);
    expect((await store.accounts.byName('alice'))?.loginMs).toBeNull();
    await store.sessions.create({ id: 's1', account: ALICE, expiresMs: 2e12 });
    advance(HOUR_MS);
    await store.sessions.create({ id: 's2', account: ALICE, expiresMs: 2e12 });
    const page = async (query: Partial<SessionQuery> = {}) => (await store.sessions.page({ most: 9, ...query })).map(({ id }) => id);
    expect([await page(), await page({ most: 1 }), await page({ owners: [ALICE.id] }), await page({ owners: ['other'] })]).toEqual([
      ['s2', 's1'],
      ['s2'],
      ['s2', 's1'],
      [],
    ]);
    const [first] = await store.sessions.page({ most: 1 });
    expect([first?.lastSeenFrom, await page({ ...(first !== undefined && { after: first }) })]).toEqual([null, ['s1']]);
    expect((await store.accounts.byName('alice'))?.loginMs).toBe(1_700_000_000_000 + HOUR_MS);
    await store.accounts.remove('alice');
    expect(await page()).toEqual([]);
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

export function identitySessionCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const start = async (id: string, identityId: string, idpSession: string | null) =>
    await get().store.sessions.createForIdentity({ id, identityId, idpSession, refreshAfterMs: 5, authenticatedMs: 3, expiresMs: 2e12 });

  it('belong to the identity as it is now', async () => {
    const { store, other } = get();
    const id = (await store.identities.put(DANA, 'its word')) ?? '';
    await start('s1', id, 'sid-1');
    await store.identities.put({ ...DANA, groups: ['other'] }, 'its word');
    expect(await other.sessions.byId('s1')).toMatchObject({
      owner: { kind: 'identity', word: 'its word', identityId: id, identity: { ...DANA, groups: ['other'] } },
      idpSession: 'sid-1',
      refreshAfterMs: 5,
      authenticatedMs: 3,
    });
    await store.sessions.setRefreshAfter('s1', 7);
    expect((await store.sessions.byId('s1'))?.refreshAfterMs).toBe(7);
  });

  it('end by the word of their provider: by its session, by the subject, and no others', async () => {
    const { store } = get();
    const dana = (await store.identities.put(DANA, 'its word')) ?? '';
    const eve = (await store.identities.put({ ...DANA, subject: 'sub-2', name: 'eve' }, 'its word')) ?? '';
    const elsewhere = (await store.identities.put({ ...DANA, idp: 'adfs' }, 'its word')) ?? '';
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
    const id = (await store.identities.put(DANA, 'its word')) ?? '';
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

export function attemptCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('keeps an address, reads it often and takes it once', async () => {
    const { store, other } = get();
    await store.loginAttempts.create({ id: 'a1', returnTo: '/runs?x=%2F', address: '192.0.2.1' });
    expect(await other.loginAttempts.read('a1')).toBe('/runs?x=%2F');
    expect(await other.loginAttempts.take('a1')).toBe('/runs?x=%2F');
    expect(await store.loginAttempts.take('a1')).toBeUndefined();
    expect(await store.loginAttempts.read('a2')).toBeUndefined();
  });

  it('gives an answered attempt to its provider alone, and once', async () => {
    const { store, other } = get();
    const attempt = { id: 'a1', returnTo: '/runs', idp: 'corp', sealed: 'sealed' };
    await store.loginAttempts.create({ ...attempt, address: '192.0.2.1' });
    expect(await store.loginAttempts.takeAnswered('a1', 'adfs')).toBeUndefined();
    expect(await other.loginAttempts.takeAnswered('a1', 'corp')).toEqual(attempt);
    expect(await store.loginAttempts.takeAnswered('a1', 'corp')).toBeUndefined();
    await store.loginAttempts.create({ ...attempt, address: '192.0.2.1' });
    advance(LOGIN_ATTEMPT_LIMITS.lifeMs);
    expect(await store.loginAttempts.takeAnswered('a1', 'corp')).toBeUndefined();
  });

  it('forgets an address that is too old', async () => {
    const { store } = get();
    await store.loginAttempts.create({ id: 'a1', returnTo: '/runs', address: '192.0.2.1' });
    advance(LOGIN_ATTEMPT_LIMITS.lifeMs);
    expect(await store.loginAttempts.read('a1')).toBeUndefined();
    expect(await store.loginAttempts.take('a1')).toBeUndefined();
  });

  it('holds a bounded number, dropping the oldest', async () => {
    const { store, fillAttempts } = get();
    const attempt = (id: string) => ({ id, returnTo: '/', address: '198.51.100.7' });
    await store.loginAttempts.create(attempt('a0'));
    advance(1);
    await fillAttempts(LOGIN_ATTEMPT_LIMITS.rows - 2);
    await store.loginAttempts.create(attempt('the last'));
    expect(await store.loginAttempts.read('a0')).toBe('/');
    await store.loginAttempts.create(attempt('one too many'));
    const read = (id: string) => store.loginAttempts.read(id);
    expect([await read('a0'), await read('a1'), await read('the last'), await read('one too many')]).toEqual([undefined, '/', '/', '/']);
  });

  it.each([
    ['an address', () => '198.51.100.7'],
    ['a network of IPv6, however it is written', (index: number) => (index % 2 === 0 ? `2001:db8::${index.toString(16)}:1` : `2001:0DB8:0:0:${index}::2`)],
  ])(
    'of %s pushes out its own alone, the oldest first',
    async (_name, addressOf) => {
      const { store } = get();
      await store.loginAttempts.create({ id: 'theirs', returnTo: '/', address: '192.0.2.1' });
      for (let index = 0; index <= LOGIN_ATTEMPT_LIMITS.perAddress; index += 1) {
        advance(1);
        await store.loginAttempts.create({ id: `o${index}`, returnTo: '/', address: addressOf(index) });
      }
      const read = (id: string) => store.loginAttempts.read(id);
      expect([await read('theirs'), await read('o0'), await read('o1'), await read(`o${LOGIN_ATTEMPT_LIMITS.perAddress}`)]).toEqual(['/', undefined, '/', '/']);
    },
    60_000,
  );
}
