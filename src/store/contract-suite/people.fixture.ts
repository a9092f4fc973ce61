// What every store must do: accounts, identities, and what both are held to.
import { expect, it } from 'vitest';
import type { Identity } from '../../contract/identity.ts';
import { NOWHERE } from '../../contract/scope.ts';
import { movedBy } from './records.fixture.ts';
import { HOUR_MS, type StoreUnderTest } from './under-test.fixture.ts';

export const ALICE = { id: 'account-1', name: 'alice', roles: ['admin'], password: 'phc-1' };

export function accountCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
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

export function scopeCases(get: () => StoreUnderTest): void {
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
    expect(await other.makers.createdBy('bob@local', 'Deployment')).toEqual(['d']);
    expect(await other.makers.createdBy('eve@local', 'Deployment')).toEqual([]);
    expect(await other.makers.createdBy('bob@local', 'Flow')).toEqual([]);
    await other.makers.forget('Deployment', 'd');
    expect(await store.makers.of('Deployment', 'd')).toBeNull();
    expect(await store.makers.createdBy('bob@local', 'Deployment')).toEqual([]);
  });
}

export const DANA: Identity = { idp: 'corp', subject: 'sub-1', name: 'dana', kind: 'user', groups: ['platform'], claims: { email: 'dana@example.com' } };

export function identityCases(get: () => StoreUnderTest): void {
  it('keeps who somebody is; only a change of it is a change', async () => {
    const { store, other } = get();
    let id: string | undefined;
    expect(
      await movedBy(get(), async () => {
        id = await store.identities.put(DANA, 'its word');
      }),
    ).toBe(0);
    expect(await other.identities.byId(id ?? '')).toEqual(DANA);
    expect(await movedBy(get(), () => store.identities.put({ ...DANA, claims: { email: 'dana@example.com' } }, 'its word'))).toBe(0);
    expect(await movedBy(get(), () => store.identities.put({ ...DANA, groups: [] }, 'its word'))).toBe(1);
    expect(await store.identities.byName('corp', 'dana')).toEqual({ ...DANA, groups: [] });
    expect(await store.identities.put(DANA, 'its word')).toBe(id);
  });

  it('gives a name to one subject until it is forgotten; another provider has its own names', async () => {
    const { store } = get();
    await store.identities.put(DANA, 'its word');
    expect(await store.identities.put({ ...DANA, subject: 'sub-2' }, 'its word')).toBeUndefined();
    expect(await store.identities.byName('corp', 'dana')).toMatchObject({ subject: 'sub-1' });
    expect(await store.identities.put({ ...DANA, idp: 'adfs', subject: 'sub-2' }, 'its word')).toBeDefined();
    expect(await movedBy(get(), () => store.identities.forget('corp', 'dana'))).toBe(1);
    expect(await store.identities.forget('corp', 'dana')).toBe(false);
    expect(await store.identities.put({ ...DANA, subject: 'sub-2' }, 'its word')).toBeDefined();
    expect(await store.identities.list()).toMatchObject([
      { idp: 'adfs', name: 'dana' },
      { idp: 'corp', subject: 'sub-2' },
    ]);
  });

  it('a new name of the same subject is the same identity', async () => {
    const { store } = get();
    const id = await store.identities.put(DANA, 'its word');
    expect(await store.identities.put({ ...DANA, name: 'dana.x' }, 'its word')).toBe(id);
    expect(await store.identities.byName('corp', 'dana')).toBeUndefined();
    expect([await store.identities.isKnown(DANA), await store.identities.isKnown({ ...DANA, idp: 'adfs' })]).toEqual([true, false]);
  });

  it('a name of before stays with who had it, until it is forgotten', async () => {
    const { store, other } = get();
    const id = await store.identities.put(DANA, 'its word');
    await store.identities.put({ ...DANA, name: 'dana.x' }, 'its word');
    const heir = { ...DANA, subject: 'sub-2' };
    expect(await other.identities.put(heir, 'its word')).toBeUndefined();
    expect(await other.identities.put({ ...heir, idp: 'adfs' }, 'its word')).toBeDefined();
    expect(await store.identities.put(DANA, 'its word')).toBe(id);
    expect(await other.identities.put({ ...heir, name: 'dana.x' }, 'its word')).toBeUndefined();
    expect(await store.identities.forget('corp', 'dana.x')).toBe(true);
    expect(await store.identities.forget('corp', 'dana.x')).toBe(false);
    expect(await other.identities.put({ ...heir, name: 'dana.x' }, 'its word')).toBeDefined();
    expect(await store.identities.byName('corp', 'dana')).toMatchObject({ subject: 'sub-1' });
  });

  it('a lock goes along with another name, and is on each name of the same person; of several the longest holds', async () => {
    const { store, other } = get();
    const soon = 1_700_000_000_000 + HOUR_MS;
    const called = (name: string) => store.identities.put({ ...DANA, name }, 'its word');
    const lock = (value: string, expiresMs: number | null) => store.locks.put({ kind: 'principal', value, why: 'left', by: 'local:root', expiresMs });
    const held = async () => Object.fromEntries((await other.locks.list()).map(({ value, expiresMs }) => [value, expiresMs]));
    await called('dana');
    await called('free');
    expect(await held()).toEqual({});
    await lock('third@corp', soon);
    await called('third');
    expect(await held()).toEqual({ 'dana@corp': soon, 'free@corp': soon, 'third@corp': soon });
    await lock('fourth@corp', null);
    await called('fourth');
    expect(await held()).toEqual({ 'dana@corp': null, 'free@corp': null, 'third@corp': null, 'fourth@corp': null });
    await lock('fifth@corp', soon);
    await called('fifth');
    expect(await held()).toEqual(Object.fromEntries(['dana', 'free', 'third', 'fourth', 'fifth'].map((name) => [`${name}@corp`, null])));
  });

  it('a lock on any name of a person is set and taken away on all of them, and on nobody else', async () => {
    const { store, other } = get();
    const values = async () => (await other.locks.list()).map(({ value }) => value).sort();
    const lock = (value: string) => store.locks.put({ kind: 'principal', value, why: '', by: 'local:root', expiresMs: null });
    await store.identities.put(DANA, 'its word');
    await store.identities.put({ ...DANA, name: 'free' }, 'its word');
    await store.identities.put({ ...DANA, subject: 'sub-2', name: 'max' }, 'its word');
    await store.identities.put({ ...DANA, idp: 'adfs' }, 'its word');
    await lock('max@corp');
    expect(await store.identities.namesOf('corp', 'dana')).toEqual(['free', 'dana']);
    expect(await store.identities.namesOf('corp', 'nobody')).toEqual([]);
    for (const [one, another] of [
      ['dana@corp', 'free@corp'],
      ['free@corp', 'dana@corp'],
    ] as const) {
      expect(await lock(one)).toEqual([one, another]);
      expect(await values()).toEqual(['dana@corp', 'free@corp', 'max@corp']);
      expect((await store.locks.remove({ kind: 'principal', value: another })).toSorted()).toEqual(['dana@corp', 'free@corp']);
      expect(await values()).toEqual(['max@corp']);
    }
    expect(await lock('dana@adfs')).toEqual(['dana@adfs']);
    await store.identities.forget('corp', 'dana');
    expect(await lock('free@corp')).toEqual(['free@corp']);
  });
}
