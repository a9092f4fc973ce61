import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { writeNewStore } from './new-store.fixture.ts';
import { ABSENT_MS, GONE_AFTER_MS } from './nodes.ts';
import { openStore, type Store } from './store.ts';

let dir: string;
let store: Store;
let nowMs = 1_700_000_000_000;
beforeEach(async () => {
  dir = makeMemoryDir('lictor-nodes-');
  await writeNewStore(join(dir, 'lictor.db'));
  store = await openStore({ at: join(dir, 'lictor.db'), clock: () => nowMs });
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const seen = async () => (await store.nodes.recent()).map(({ name, isLive }) => `${name} ${isLive}`);

it('knows the nodes of the last week, and which of them live', async () => {
  const node = { instance: 'i', version: '1', configuration: 'c/p' };
  await store.nodes.join({ ...node, name: 'b' });
  const startedMs = await store.nodes.join({ ...node, name: 'a' });
  expect(await store.nodes.recent()).toMatchObject([
    { ...node, name: 'a', isLive: true, startedMs },
    { name: 'b', isLive: true },
  ]);
  nowMs += GONE_AFTER_MS;
  await store.nodes.beat({ ...node, name: 'a' }, startedMs);
  expect(await seen()).toEqual(['a true', 'b false']);
  nowMs += ABSENT_MS - GONE_AFTER_MS;
  expect(await seen()).toEqual(['a false']);
});

it('reads a bounded number of them, those that were seen last', async () => {
  for (let index = 0; index < 250; index += 1) {
    nowMs += 1;
    await store.nodes.join({ name: `n${index}`, instance: 'i', version: '1', configuration: 'c' });
  }
  const names = (await store.nodes.recent()).map(({ name }) => name);
  expect([names.length, names.includes('n249'), names.includes('n49')]).toEqual([200, true, false]);
});

it('knows who took each duty last', async () => {
  using db = new DatabaseSync(join(dir, 'lictor.db'));
  db.exec("INSERT INTO duties (name, fence, holder) VALUES ('exports', 3, 'b'), ('events', 1, 'a')");
  expect(await store.nodes.duties()).toEqual([
    { duty: 'events', node: 'a' },
    { duty: 'exports', node: 'b' },
  ]);
});
