// What every store must do: service tokens and access tokens.
import { expect, it } from 'vitest';
import { AT_ONCE } from '../../contract/clock.ts';
import type { Identity } from '../../contract/identity.ts';
import type { Chain } from '../access-token-chain.ts';
import { movedBy } from './records.fixture.ts';
import { HOUR_MS, type StoreUnderTest } from './under-test.fixture.ts';

function newToken(overrides: object = {}) {
  return { id: 'aaaaaaaaaa', name: 'etl', roles: ['worker', 'viewer'], cidrs: ['10.0.0.0/8'], lifetimeMs: HOUR_MS, hash: 'hash-1', ...overrides };
}

export function tokenCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('gives back what was put in', async () => {
    const { store, other } = get();
    expect(await store.tokens.create(newToken())).toBe(true);
    const token = await other.tokens.byId('aaaaaaaaaa');
    expect(token).toMatchObject({ name: 'etl', roles: ['worker', 'viewer'], cidrs: ['10.0.0.0/8'], lifetimeMs: HOUR_MS, revokedMs: null, lastUsedMs: null });
    expect(token?.secrets).toEqual([
      { hash: 'hash-1', createdMs: token?.createdMs, expiresMs: (token?.createdMs ?? 0) + HOUR_MS, lastUsedMs: null, lastUsedFrom: null },
    ]);
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

  it('ends the old secret at once without an overlap, for a clock that is put back too, and with one for as long as that', async () => {
    const { store } = get();
    await store.tokens.create(newToken({ lifetimeMs: null }));
    const endOf = async (secret: string) => (await store.tokens.byId('aaaaaaaaaa'))?.secrets.find(({ hash }) => hash === secret)?.expiresMs;
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-2', overlapMs: 0 });
    expect([await endOf('hash-1'), await endOf('hash-2')]).toEqual([AT_ONCE, null]);
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-3', overlapMs: 1 });
    expect([await endOf('hash-2'), await endOf('hash-3')]).toEqual([1_700_000_000_001, null]);
  });

  it('moves last used forwards only, and without a change', async () => {
    const { store } = get();
    await store.tokens.create(newToken());
    const use = { id: 'aaaaaaaaaa', hash: 'hash-1', usedMs: 5000, address: '192.0.2.7' };
    expect(await movedBy(get(), () => store.tokens.touch(use))).toBe(0);
    await store.tokens.touch({ ...use, usedMs: 4000, address: '192.0.2.8' });
    const last = { lastUsedMs: 5000, lastUsedFrom: '192.0.2.7' };
    expect(await store.tokens.byId('aaaaaaaaaa')).toMatchObject({ ...last, secrets: [last] });
  });

  it('knows which secret was used last, and which token a removed secret was of', async () => {
    const { store, other } = get();
    await store.tokens.create(newToken());
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-2', overlapMs: HOUR_MS });
    await store.tokens.touch({ id: 'aaaaaaaaaa', hash: 'hash-1', usedMs: 5000, address: '192.0.2.7' });
    expect(await store.tokens.byId('aaaaaaaaaa')).toMatchObject({
      lastUsedMs: 5000,
      secrets: [
        { hash: 'hash-2', lastUsedMs: null },
        { hash: 'hash-1', lastUsedMs: 5000, lastUsedFrom: '192.0.2.7' },
      ],
    });
    await store.tokens.rotate({ id: 'aaaaaaaaaa', hash: 'hash-3', overlapMs: 0 });
    expect(await other.tokens.byFormerSecret('hash-1')).toMatchObject({ name: 'etl', lastUsedMs: 5000 });
    for (const hash of ['hash-2', 'hash-3', 'hash-4']) expect(await other.tokens.byFormerSecret(hash)).toBeUndefined();
  });
}

export function accessTokenCases(under: () => StoreUnderTest, advance: (ms: number) => void): void {
  const identity: Identity = { idp: 'ci', subject: 's', name: 'n', kind: 'service', groups: ['g'], claims: { b: '2', a: '1' } };
  const create = (id: string, more: Partial<Identity> = {}) =>
    under().store.accessTokens.create({
      id,
      hash: `h-${id}`,
      audience: null,
      chain: null,
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
      audience: null,
      chain: null,
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
    expect(await under().store.accessTokens.revokeOf('ci', 'n')).toEqual({ tokens: 2, runs: 0 });
    expect((await under().other.accessTokens.live()).map(({ id }) => id)).toEqual(['other-idp', 'other-name']);
    expect(await under().store.accessTokens.revokeOf('ci', 'n')).toEqual({ tokens: 0, runs: 0 });
  });

  it('of a chain are read back whole, and end with each principal of the chain', async () => {
    const link = { kind: 'identity', identity, trust: 't', proof: 'jwt:1' } as const;
    const chain = (...principals: readonly string[]): Chain => ({ actor: { kind: 'token', id: 'x' }, subject: link, principals });
    const token = { hash: 'h', audience: 'mcp', expiresMs: 1_700_000_000_000 + HOUR_MS };
    await under().store.accessTokens.create({ ...token, id: 'a', chain: chain('token:x', 'n@ci') });
    await under().store.accessTokens.create({ ...token, id: 'b', chain: chain('token:x', 'm@ci') });
    const stored = { ...token, id: 'a', chain: chain('token:x', 'n@ci'), createdMs: 1_700_000_000_000, revokedMs: null };
    expect(await under().other.accessTokens.byId('a')).toEqual(stored);
    expect(await movedBy(under(), () => under().store.accessTokens.revokeOf('ci', 'n'))).toBe(1);
    expect((await under().other.accessTokens.live()).map(({ id }) => id)).toEqual(['b']);
    expect(await under().store.accessTokens.revokeOf('ci', 'n')).toEqual({ tokens: 0, runs: 0 });
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
