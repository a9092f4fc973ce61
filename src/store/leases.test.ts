// How many leases are remembered; the rest is in the contract of every store.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { createLeases } from './leases.ts';
import { openSqlite } from './sqlite.ts';
import { createSqliteTables } from './sqlite-schema.ts';

it('of each principal, the store has those that end last', async () => {
  const dir = makeMemoryDir('lictor-leases-');
  const database = openSqlite(join(dir, 'lictor.db'));
  try {
    await createSqliteTables(database);
    const leases = createLeases(database, () => 1_700_000_000_000, 3);
    await leases.put({ id: 'b', principal: 'token:b', flowRun: null }, 1);
    for (const [id, lifeMs] of [
      ['0', 20],
      ['released', 1],
      ['2', 30],
      ['3', 10],
    ] as const)
      await leases.put({ id, principal: 'token:a', flowRun: null }, lifeMs);
    const known = await Promise.all(['b', '0', 'released', '2', '3'].map((id) => leases.of(id)));
    expect(known.map((lease) => lease !== null)).toEqual([true, true, false, true, true]);
  } finally {
    await database.close();
    rmSync(dir, { recursive: true });
  }
});
