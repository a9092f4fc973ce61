import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../../../config/memory-dir.fixture.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { checkTokens } from './tokens.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let nowMs = 1_700_000_000_000;
let root = '';
let store: Store;
const file = (): string => join(root, 'lictor.db');
beforeEach(async () => {
  nowMs = 1_700_000_000_000;
  root = makeMemoryDir('lictor-tokens-');
  store = await openStore({ at: file(), clock: () => nowMs });
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

async function create(name: string, lifetimeMs: number | null, role = 'worker'): Promise<void> {
  await store.tokens.create({ id: name, name, roles: [role], cidrs: [], lifetimeMs, hash: `hash of ${name}` });
}

const lines = async () => [await checkTokens(file(), nowMs)].flat().map(({ status, message }) => `${status} ${message}`);

it('names tokens that expire within 7 days and in the last quarter of their lifetime, and no others', async () => {
  await create('ever', null);
  await create('later', 28 * DAY_MS + 1);
  await create('soon', 28 * DAY_MS);
  await create('gone', 21 * DAY_MS + HOUR_MS);
  await store.tokens.revoke('gone');
  await create('over', 1);
  nowMs += 21 * DAY_MS - 1;
  await create('doctor-0a1b2c3d', 60_000);
  await create('day', DAY_MS);
  expect(await lines()).toEqual(['ok no service token expires within 7 days']);
  nowMs += 1;
  expect(await lines()).toEqual(['warn service tokens expire within 7 days: soon (2023-12-12T22:13:20.000Z)']);
  nowMs += 20 * HOUR_MS;
  expect(await lines()).toEqual([expect.stringMatching(/: day \(.*soon \(.*later \(/)]);
});

it('names those that a live worker uses within 24 hours of their end by themselves', async () => {
  const used = (id: string, usedMs: number) => store.tokens.touch({ id, hash: '', usedMs, address: '192.0.2.7' });
  await create('live', 1000 * HOUR_MS);
  await create('idle', 1000 * HOUR_MS);
  await create('ci', 1000 * HOUR_MS, 'deployer');
  await create('early', 1001 * HOUR_MS);
  nowMs += 976 * HOUR_MS;
  for (const name of ['live', 'ci', 'early']) await used(name, nowMs - 60_000);
  await used('idle', nowMs - HOUR_MS);
  const [urgent, others, ...more] = await lines();
  expect(urgent).toBe('warn live workers use tokens that expire within 24 hours: live (2023-12-26T14:13:20.000Z)');
  expect(others).toMatch(/^warn service tokens expire within 7 days: ci \(.*idle.*early/);
  expect([others?.includes('live ('), more]).toEqual([false, []]);
});

it('counts a token by its newest secret', async () => {
  await create('rotated', 8 * DAY_MS);
  nowMs += 6 * DAY_MS;
  expect(await lines()).toEqual([expect.stringContaining('rotated')]);
  await store.tokens.rotate({ id: 'rotated', hash: 'another', overlapMs: DAY_MS });
  expect(await lines()).toEqual(['ok no service token expires within 7 days']);
});

it('leaves a store that cannot be read to its own check', async () => {
  writeFileSync(join(root, 'x.db'), 'no database');
  expect(await checkTokens(join(root, 'x.db'), nowMs)).toMatchObject([{ status: 'ok' }]);
});

it('names tokens and accounts that a restore put on hold', async () => {
  await create('ci', null);
  await create('over', 1);
  await store.accounts.create({ id: 'a', name: 'alice', roles: ['admin'], password: 'phc' });
  using db = new DatabaseSync(file());
  db.exec('UPDATE tokens SET held_ms = 1; UPDATE accounts SET held_ms = 1');
  nowMs += 2;
  expect((await lines())[0]).toBe('fail a restore put these on hold, and the gateway answers them 503: account alice, token ci');
  await store.tokens.confirm('ci');
  await store.accounts.confirm('alice');
  expect(await lines()).toEqual(['ok no service token expires within 7 days']);
});
