// What every store must do: the change number, marks, locks and policy sets.
import { expect, it } from 'vitest';
import type { LockKind } from '../../contract/lock.ts';
import { HOUR_MS, type StoreUnderTest } from './under-test.fixture.ts';

/** How far the change number moved while `work` ran, as seen by the other handle. */
export async function movedBy(under: StoreUnderTest, work: () => Promise<unknown>): Promise<number> {
  const before = await under.other.changeNumber();
  await work();
  return (await under.other.changeNumber()) - before;
}

export function changeNumberCases(get: () => StoreUnderTest): void {
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

export function cacheGenerationCases(get: () => StoreUnderTest): void {
  it('are counted for each service, as a change that everybody sees', async () => {
    const { store, other } = get();
    expect(await store.cacheGenerations.of('billing')).toBe(0);
    expect(await movedBy(get(), () => store.cacheGenerations.purge('billing'))).toBe(1);
    expect(await other.cacheGenerations.purge('billing')).toBe(2);
    expect([await store.cacheGenerations.of('billing'), await store.cacheGenerations.of('vault')]).toEqual([2, 0]);
  });
}

export function observationCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('keep their beginning until they end: neither a restart nor a reload moves it', async () => {
    const { store, other } = get();
    await store.observations.keep(['*']);
    const begun = await store.observations.begun();
    advance(1_000);
    await other.observations.keep(['*', 'viewer']);
    const both = await other.observations.begun();
    expect([both.get('*'), both.get('viewer')]).toEqual([begun.get('*'), (begun.get('*') ?? 0) + 1_000]);
    await store.observations.keep([]);
    expect([...(await other.observations.begun())]).toEqual([]);
  });

  it('are left, and entered again, as a change that everybody sees', async () => {
    const { store, other } = get();
    expect(await movedBy(get(), () => store.observations.enforce('group:team-a@corp', 'local:root'))).toBe(1);
    expect(await other.observations.enforce('group:team-a@corp', 'local:root')).toBe(false);
    expect(await other.observations.enforced()).toMatchObject([{ subject: 'group:team-a@corp', by: 'local:root' }]);
    expect(await movedBy(get(), () => store.observations.observeAgain('group:team-a@corp'))).toBe(1);
    expect(await other.observations.observeAgain('group:team-a@corp')).toBe(false);
    expect(await store.observations.enforced()).toEqual([]);
  });
}

export function taintCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('hold for 60 minutes after the last mark, for all who share the store, and for this requester alone', async () => {
    const { store, other } = get();
    await store.taints.mark('agent:copilot');
    advance(HOUR_MS / 2);
    await other.taints.mark('agent:copilot');
    advance(HOUR_MS);
    expect([await store.taints.until('agent:copilot'), await store.taints.until('agent:other')]).toEqual([expect.any(Number), null]);
    advance(60_000);
    expect(await store.taints.until('agent:copilot')).toBeNull();
  });

  it('hold again when the clock is put back after it has leapt ahead, also where others were set meanwhile', async () => {
    const { store } = get();
    await store.taints.mark('agent:copilot');
    advance(2 * HOUR_MS);
    await store.taints.mark('agent:other');
    expect(await store.taints.until('agent:copilot')).toBeNull();
    advance(-2 * HOUR_MS);
    expect(await store.taints.until('agent:copilot')).not.toBeNull();
  });
}

export function markCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('are new once, for all who share the store, and again only a day after they have run out', async () => {
    const { store, other } = get();
    const expiresMs = 1_700_000_000_000 + HOUR_MS;
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : other).marks.once('jti', 'a', expiresMs)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await store.marks.once('assertion', 'a', expiresMs)).toBe(true);
    advance(25 * HOUR_MS - 1);
    expect([await store.marks.once('jti', 'a', expiresMs + HOUR_MS), await other.marks.used('jti', 'a')]).toEqual([false, true]);
    advance(1);
    expect(await store.marks.once('jti', 'b', expiresMs)).toBe(true);
    expect(await other.marks.used('jti', 'a')).toBe(false);
    expect(await store.marks.once('jti', 'a', expiresMs + HOUR_MS)).toBe(true);
  });

  it('are there when the clock is put back after it has leapt ahead, also where others were set meanwhile', async () => {
    const { store, other } = get();
    const expiresMs = 1_700_000_000_000 + HOUR_MS;
    await store.marks.once('jti', 'a', expiresMs);
    advance(24 * HOUR_MS);
    expect(await store.marks.once('jti', 'b', expiresMs + 24 * HOUR_MS)).toBe(true);
    advance(-24 * HOUR_MS);
    expect([await other.marks.used('jti', 'a'), await store.marks.once('jti', 'a', expiresMs), await store.marks.once('jti', 'c', expiresMs)]).toEqual([
      true,
      false,
      true,
    ]);
  });
}

export function knownFlowCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  it('are known to the principal alone, for all who share the store, for an hour after the last time', async () => {
    const { store, other } = get();
    await store.knownFlows.put('token:a', 'flow');
    expect([await other.knownFlows.has('token:a', 'flow'), await other.knownFlows.has('token:b', 'flow')]).toEqual([true, false]);
    advance(HOUR_MS - 1);
    await other.knownFlows.put('token:a', 'flow');
    advance(HOUR_MS - 1);
    expect(await store.knownFlows.has('token:a', 'flow')).toBe(true);
    advance(1);
    expect(await store.knownFlows.has('token:a', 'flow')).toBe(false);
  });

  it('are the newest thousand of each', async () => {
    const { store } = get();
    await store.knownFlows.put('token:b', 'flow 0');
    for (let index = 0; index <= 1000; index += 1) {
      advance(1);
      await store.knownFlows.put('token:a', `flow ${index}`);
    }
    const known = await Promise.all(['flow 0', 'flow 1', 'flow 1000'].map((flow) => store.knownFlows.has('token:a', flow)));
    expect([...known, await store.knownFlows.has('token:b', 'flow 0')]).toEqual([false, true, true, true]);
  });
}

export function leaseCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const lease = { id: 'l', principal: 'token:a', flowRun: 'r' };

  it('are known to all who share the store until they end, and longer when they are renewed', async () => {
    const { store, other } = get();
    await store.leases.put(lease, 1_000);
    expect([await other.leases.of('l'), await other.leases.of('m')]).toEqual([lease, null]);
    advance(999);
    await other.leases.ends('l', 1_000);
    advance(999);
    expect(await store.leases.of('l')).toEqual(lease);
    advance(1);
    expect(await store.leases.of('l')).toBeNull();
    await store.leases.ends('l', 1_000);
    expect(await store.leases.of('l')).toBeNull();
  });

  it('keep their taker, whoever names them later', async () => {
    const { store } = get();
    await store.leases.put(lease, 1_000);
    await store.leases.put({ ...lease, principal: 'token:b', flowRun: null }, 2_000);
    advance(1_999);
    expect(await store.leases.of('l')).toEqual(lease);
  });
}

export function lockCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
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
    expect(await store.locks.remove({ kind: 'session', value: '10.0.0.0/8' })).toEqual([]);
    expect(await other.locks.list()).toHaveLength(1);
  });

  it('on accounts stay so when they are set once more', async () => {
    const { store, other } = get();
    await put('principal', 'alice@local');
    expect(await other.locks.list()).toMatchObject([{ ofAccounts: false }]);
    await store.locks.put({ kind: 'principal', value: 'alice@local', ofAccounts: true, why: '', by: 'local:root', expiresMs: null });
    await put('principal', 'alice@local');
    expect(await other.locks.list()).toMatchObject([{ ofAccounts: true }]);
  });

  it('on one account go together, by whatever its provider was called when each was set, and no others with them', async () => {
    const { store, other } = get();
    for (const value of ['alice@local', 'alice@staff', 'bob@local'])
      await store.locks.put({ kind: 'principal', value, ofAccounts: true, why: '', by: 'local:root', expiresMs: null });
    await put('principal', 'alice@corp');
    const target = { kind: 'principal', value: 'alice@people', ofAccounts: true } as const;
    expect(await other.locks.heldOn({ kind: 'principal', value: 'alice@people' })).toEqual([]);
    expect((await other.locks.heldOn(target)).map(({ value }) => value).sort()).toEqual(['alice@local', 'alice@staff']);
    expect(await other.locks.heldOn({ kind: 'principal', value: 'alice@corp' })).toMatchObject([{ value: 'alice@corp' }]);
    expect([...(await store.locks.remove(target))].sort()).toEqual(['alice@local', 'alice@staff']);
    expect((await other.locks.list()).map(({ value }) => value).sort()).toEqual(['alice@corp', 'bob@local']);
    for (const [value, ofAccounts] of [
      ['local', true],
      ['corp', false],
    ] as const)
      await store.locks.put({ kind: 'idp', value, ofAccounts, why: '', by: 'local:root', expiresMs: null });
    expect(await store.locks.remove({ kind: 'idp', value: 'people', ofAccounts: true })).toEqual(['local']);
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
    expect(await movedBy(get(), () => store.locks.remove({ kind: 'idp', value: 'okta' }))).toBe(0);
    expect(await store.locks.remove({ kind: 'idp', value: 'okta' })).toEqual([]);
  });

  it('hold again when the clock that ended them is put back, whatever was locked and unlocked meanwhile, and not what was unlocked itself', async () => {
    const { store, other } = get();
    const held = async () => (await other.locks.list()).map(({ value }) => value);
    for (const name of ['mallory@local', 'free@local']) await put('principal', name, 1_700_000_000_000 + 2 * HOUR_MS);
    advance(24 * HOUR_MS);
    expect(await held()).toEqual([]);
    await put('principal', 'other@local');
    expect(await store.locks.remove({ kind: 'principal', value: 'free@local' })).toEqual([]);
    expect(await held()).toEqual(['other@local']);
    advance(-24 * HOUR_MS);
    expect(await held()).toEqual(['mallory@local', 'other@local']);
  });

  it('are forgotten a day after their end, by the next one', async () => {
    await put('idp', 'okta', 1_700_000_000_000 + HOUR_MS);
    advance(25 * HOUR_MS);
    await put('idp', 'entra');
    advance(-25 * HOUR_MS);
    expect((await get().store.locks.list()).map(({ value }) => value)).toEqual(['entra']);
  });
}

export function policySetCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
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

  it('are in the order in which they came into force, also where the clock went back', async () => {
    const { store, other } = get();
    await store.policySets.put({ revision: 3, files: { 'a.cedar': 'x' }, ...by });
    advance(-HOUR_MS);
    await store.policySets.put({ revision: 4, files: { 'a.cedar': 'y' }, ...by });
    expect((await other.policySets.latest())?.revision).toBe(4);
    advance(1);
    await store.policySets.put({ revision: 5, files: {}, ...by });
    expect((await other.policySets.list()).map(({ revision }) => revision)).toEqual([5, 4, 3]);
  });

  it('are forgotten when they did not come into force', async () => {
    const { store, other } = get();
    await store.policySets.put({ revision: 1, files: { 'a.cedar': 'x' }, ...by });
    await store.policySets.put({ revision: 2, files: {}, ...by });
    await store.policySets.forget(2);
    expect((await other.policySets.latest())?.revision).toBe(1);
  });
}
