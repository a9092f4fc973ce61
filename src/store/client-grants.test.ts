// What a person let a client do, at rest: as two processes see it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import type { NewAuthorizationCode } from './authorization-codes.ts';
import type { NewClientGrant, NewTokens } from './client-grants.ts';
import { DEVICE_CODE_LIMITS, type NewDeviceCode } from './device-codes.ts';
import { openStore, type Store } from './store.ts';

const DAY_MS = 86_400_000;
let dir: string;
let nowMs: number;
let store: Store;
let other: Store;
beforeEach(async () => {
  dir = makeMemoryDir('lictor-grants-');
  nowMs = 1_800_000_000_000;
  const clock = (): number => nowMs;
  store = await openStore({ at: join(dir, 'lictor.db'), clock });
  other = await openStore({ at: join(dir, 'lictor.db'), clock });
  await store.accounts.create({ id: 'a1', name: 'alice', roles: ['admin'], password: 'phc' });
  await store.sessions.create({ id: 'browser', account: { id: 'a1', password: 'phc' }, expiresMs: nowMs + 30 * DAY_MS });
});
afterEach(async () => {
  await Promise.all([store.close(), other.close()]);
  rmSync(dir, { recursive: true });
});

const code = (id: string): NewDeviceCode => ({
  ...{ id, hash: `hash ${id}`, userHash: `user ${id}`, clientId: 'cli', scopes: ['prefect:read'], audience: 'api', openid: false, address: '192.0.2.1' },
  userAgent: '',
});
const grant = (id: string, more: Partial<NewClientGrant> = {}): NewClientGrant => ({
  ...{ id, clientId: 'cli', scopes: ['prefect:read'], audience: 'api', accountId: 'a1', identityId: null, sessionId: null, refreshAfterMs: null },
  allowedIn: 'browser',
  expiresMs: nowMs + 30 * DAY_MS,
  ...more,
});
const tokens = (name: string): NewTokens => ({
  refreshHash: `refresh ${name}`,
  access: { id: `access ${name}`, hash: `hash ${name}`, expiresMs: nowMs + 60_000 },
});

async function granted(id: string, more: Partial<NewClientGrant> = {}): Promise<void> {
  await store.deviceCodes.create(code(id));
  expect(await store.deviceCodes.decide(id, grant(id, more))).toBe(true);
  expect(await store.deviceCodes.redeem(id, tokens(`${id}-1`))).toBe(true);
}

describe('an authorization code', () => {
  const codeOf = (id: string): NewAuthorizationCode => ({
    ...{ id, hash: `hash ${id}`, redirectUri: 'https://a.example/', challenge: 'c', openid: true, nonce: 'n' },
  });

  it('begins a grant that ends with it, and lasts once the code is redeemed', async () => {
    expect(await store.authorizationCodes.create(codeOf('c'), grant('g'))).toBe(true);
    expect(await other.clientGrants.byId('g')).toMatchObject({ expiresMs: nowMs + 60_000 });
    expect(await other.authorizationCodes.byId('c')).toEqual({
      ...codeOf('c'),
      ...{ grantId: 'g', grantExpiresMs: nowMs + 30 * DAY_MS, expiresMs: nowMs + 60_000, used: false },
    });
    expect(await store.authorizationCodes.redeem('c', tokens('1'))).toBe(true);
    expect(await other.clientGrants.byId('g')).toMatchObject({ expiresMs: nowMs + 30 * DAY_MS });
    expect(await other.authorizationCodes.byId('c')).toMatchObject({ used: true });
  });

  it('is redeemed once, also by concurrent clients, and not after its time or its grant', async () => {
    await store.authorizationCodes.create(codeOf('c'), grant('g'));
    const both = await Promise.all([store.authorizationCodes.redeem('c', tokens('1')), other.authorizationCodes.redeem('c', tokens('2'))]);
    expect(both.filter(Boolean)).toHaveLength(1);
    await store.authorizationCodes.create(codeOf('ended'), grant('g2'));
    await other.clientGrants.end('g2');
    expect(await store.authorizationCodes.redeem('ended', tokens('3'))).toBe(false);
    await store.authorizationCodes.create(codeOf('late'), grant('g3'));
    nowMs += 60_000;
    expect(await store.authorizationCodes.redeem('late', tokens('4'))).toBe(false);
  });

  it('is not created once the session in which it is allowed has ended, and is forgotten with its grant', async () => {
    expect(await store.authorizationCodes.create(codeOf('c'), grant('g', { allowedIn: 'gone' }))).toBe(false);
    expect(await store.clientGrants.byId('g')).toBeUndefined();
    await store.authorizationCodes.create(codeOf('old'), grant('g1'));
    nowMs += 2 * DAY_MS;
    await store.authorizationCodes.create(codeOf('new'), grant('g2'));
    expect(await store.authorizationCodes.byId('old')).toBeUndefined();
  });
});

describe('a device code', () => {
  it('is decided once and redeemed once, also by concurrent clients', async () => {
    await store.deviceCodes.create(code('d'));
    expect((await other.deviceCodes.byUserHash('user d'))?.state).toBe('pending');
    const decided = await Promise.all([store.deviceCodes.decide('d', grant('g')), other.deviceCodes.decide('d', null)]);
    expect(decided.filter(Boolean)).toHaveLength(1);
    const redeemed = await Promise.all([store.deviceCodes.redeem('d', tokens('1')), other.deviceCodes.redeem('d', tokens('2'))]);
    expect(redeemed.filter(Boolean)).toHaveLength(decided[0] ? 1 : 0);
    expect(await store.deviceCodes.byUserHash('user d')).toBeUndefined();
  });

  it.each([
    ['an address', () => '198.51.100.7'],
    ['a network of IPv6, however it is written', (index: number) => (index % 2 === 0 ? `2001:db8::${index.toString(16)}:1` : `2001:0DB8:0:0:${index}::2`)],
  ])('of %s pushes out its own alone, the oldest first', async (_name, addressOf) => {
    await store.deviceCodes.create(code('theirs'));
    for (let index = 0; index <= DEVICE_CODE_LIMITS.perAddress; index += 1) {
      await store.deviceCodes.create({ ...code(`o${index}`), address: addressOf(index) });
      nowMs += 1;
    }
    const isThere = async (id: string) => (await store.deviceCodes.byId(id)) !== undefined;
    expect([await isThere('theirs'), await isThere('o0'), await isThere('o1'), await isThere(`o${DEVICE_CODE_LIMITS.perAddress}`)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('is worth nothing when it is too old', async () => {
    await store.deviceCodes.create(code('d'));
    nowMs += DEVICE_CODE_LIMITS.lifeMs;
    expect([await store.deviceCodes.byUserHash('user d'), await store.deviceCodes.decide('d', grant('g'))]).toEqual([undefined, false]);
    expect(await store.clientGrants.byId('g')).toBeUndefined();
  });
});

describe('a device code is not let in by a session that has ended since the page was looked at', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a new password', () => other.accounts.setPassword('alice', 'another')],
    ['a logout', () => other.sessions.end('browser')],
    ['an account that is gone', () => other.accounts.remove('alice')],
  ])('%s', async (_what, end) => {
    await store.deviceCodes.create(code('d'));
    await end();
    expect(await store.deviceCodes.decide('d', grant('g'))).toBe(false);
    expect([await store.clientGrants.byId('g'), await store.deviceCodes.redeem('d', tokens('1'))]).toEqual([undefined, false]);
  });
});

describe('a grant', () => {
  it('gives the next pair of tokens to one of two that have the same refresh token', async () => {
    await granted('g');
    const rotated = await Promise.all([store.clientGrants.rotate('refresh g-1', tokens('g-2')), other.clientGrants.rotate('refresh g-1', tokens('g-3'))]);
    expect(rotated.filter(Boolean)).toHaveLength(1);
    expect(await other.clientGrants.ofRefreshToken('refresh g-1')).toMatchObject({ used: true, grant: { id: 'g' } });
    expect(await other.clientGrants.ofRefreshToken(rotated[0] ? 'refresh g-2' : 'refresh g-3')).toMatchObject({ used: false });
    expect(await other.clientGrants.ofRefreshToken(rotated[0] ? 'refresh g-3' : 'refresh g-2')).toBeUndefined();
  });

  it('ends once, with the tokens of its provider; the change number increases, and no refresh token brings it back', async () => {
    await granted('g');
    await store.idpTokens.put('g', 'sealed');
    const before = await other.changeNumber();
    expect([await store.clientGrants.end('g'), await other.clientGrants.end('g')]).toEqual([true, false]);
    expect(await other.changeNumber()).toBe(before + 1);
    expect(await other.idpTokens.read('g')).toBeUndefined();
    expect((await other.clientGrants.ofAccessToken('access g-1'))?.grant.endedMs).toBe(nowMs);
    expect(await store.clientGrants.rotate('refresh g-1', tokens('g-2'))).toBe(false);
  });

  it('ends with what it stands on: account, password, identity, session', async () => {
    const identityId = String(await store.identities.put({ idp: 'corp', subject: 's', name: 'bob', kind: 'user', groups: [], claims: {} }, 'its word'));
    await store.sessions.createForIdentity({
      id: 'session',
      identityId,
      idpSession: 'sid',
      refreshAfterMs: null,
      authenticatedMs: null,
      expiresMs: nowMs + DAY_MS,
    });
    const person = { accountId: null, identityId };
    for (const [id, more] of Object.entries({ password: {}, session: { ...person, sessionId: 'session' }, forget: person })) await granted(id, more);
    const ended = async (id: string): Promise<boolean> => (await other.clientGrants.byId(id))?.endedMs !== null;
    await store.accounts.setPassword('alice', 'other');
    expect([await ended('password'), await ended('session'), await ended('forget')]).toEqual([true, false, false]);
    await store.sessions.endOfProvider({ idp: 'corp', idpSession: 'sid' });
    expect([await ended('session'), await ended('forget')]).toEqual([true, false]);
    await store.identities.forget('corp', 'bob');
    expect(await other.clientGrants.byId('forget')).toBeUndefined();
  });

  it('ends, and the sessions too, when its person logs in by another provider of the same id', async () => {
    const bob = { idp: 'corp', subject: 's', name: 'bob', kind: 'user', groups: [], claims: {} } as const;
    const identityId = String(await store.identities.put(bob, 'a'));
    const session = { identityId, idpSession: null, refreshAfterMs: null, authenticatedMs: null, expiresMs: nowMs + DAY_MS };
    await store.sessions.createForIdentity({ id: 'session', ...session });
    await store.idpTokens.put('session', 'sealed');
    await granted('g', { accountId: null, identityId });
    await store.identities.put(bob, 'a');
    expect((await other.clientGrants.byId('g'))?.endedMs).toBeNull();
    const before = await other.changeNumber();
    expect(await store.identities.put(bob, 'b')).toBe(identityId);
    expect([(await other.clientGrants.byId('g'))?.endedMs, await other.sessions.byId('session'), await other.idpTokens.read('session')]).toEqual([
      nowMs,
      undefined,
      undefined,
    ]);
    expect(await other.changeNumber()).toBeGreaterThan(before);
    await store.sessions.createForIdentity({ id: 'next', ...session });
    expect((await other.sessions.byId('next'))?.owner).toMatchObject({ kind: 'identity', word: 'b' });
  });

  it('that ended long ago is forgotten when the next one begins, with everything of it', async () => {
    await granted('old');
    await store.clientGrants.end('old');
    nowMs += DAY_MS + 1;
    await granted('new');
    expect(await store.clientGrants.byId('old')).toBeUndefined();
    expect(await store.clientGrants.ofRefreshToken('refresh old-1')).toBeUndefined();
    expect(await store.clientGrants.byId('new')).toMatchObject({ owner: { kind: 'account', account: { name: 'alice' } }, scopes: ['prefect:read'] });
  });
});
