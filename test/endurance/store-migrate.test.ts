// `lictor store migrate` of a million rows.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeMemoryDir } from '../../src/config/memory-dir.fixture.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { copyToPostgres } from '../../src/store/copy-to-postgres.ts';
import { openStore } from '../../src/store/store.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';

const MANY = 1_000_000;

let dir: string;
let server: Postgres;
beforeAll(async () => {
  dir = makeMemoryDir('lictor-migrate-');
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

it('copies a million rows, and finds them again', async () => {
  const from = join(dir, 'lictor.db');
  await (await openStore({ at: from, clock: systemClock })).close();
  using database = new DatabaseSync(from);
  database
    .prepare(
      `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?)
       insert into makers (type, id, principal, made_ms) select 'Flow', 'id-' || n, 'user-' || n % 1000 || '@corp', n from numbers`,
    )
    .run(MANY);
  const to = { url: `postgres://${server.address}`, passwordFile: null };
  const seen: number[] = [];
  const first = await copyToPostgres({ from, to, onProgress: (rows) => seen.push(rows) });
  expect(first.isNew).toBe(true);
  expect(first.tables.find(({ table }) => table === 'makers')?.rows).toBe(MANY);
  expect(seen.at(-1)).toBeGreaterThanOrEqual(2 * MANY);
  expect(await copyToPostgres({ from, to, onProgress: () => undefined })).toEqual({ ...first, isNew: false });
});
