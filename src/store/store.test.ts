// The SQLite store: the contract of every store, and its file.
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { STATE_VERSION } from '../config/state-version.ts';
import { systemClock } from '../contract/clock.ts';
import { describeStoreContract } from './contract-suite.fixture.ts';
import { fromColumn } from './lists.ts';
import { writeNewStore } from './new-store.fixture.ts';
import { openStore } from './store.ts';

describeStoreContract('SQLite', async (clock) => {
  const dir = makeMemoryDir('lictor-store-');
  const file = join(dir, 'lictor.db');
  await writeNewStore(file);
  const [store, other] = await Promise.all([openStore({ at: file, clock }), openStore({ at: file, clock })]);
  return {
    store,
    other,
    async fillAttempts(count) {
      using database = new DatabaseSync(file);
      database
        .prepare(
          `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?)
           insert into login_attempts (id, return_to, created_ms, guesser) select 'a' || n, '/', ?, '192.0.2.' || n % 250 from numbers`,
        )
        .run(count, clock());
    },
    async cleanUp() {
      await Promise.all([store.close(), other.close()]);
      rmSync(dir, { recursive: true });
    },
  };
});

describe('the SQLite file', () => {
  let dir = '';
  let file = '';
  beforeEach(() => {
    dir = makeMemoryDir('lictor-store-');
    file = join(dir, 'lictor.db');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is readable by its owner only, with its log', async () => {
    const store = await openStore({ at: file, clock: systemClock });
    await store.bump('test');
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('is closed to others again after its mode was changed', async () => {
    await (await openStore({ at: file, clock: systemClock })).close();
    chmodSync(file, 0o644);
    await (await openStore({ at: file, clock: systemClock })).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('says why a transaction failed that SQLite has rolled back by itself, as on a full disk, and goes on', async () => {
    const store = await openStore({ at: file, clock: systemClock });
    const lock = { kind: 'principal', value: 'alice@local', why: '', by: 'local:root', expiresMs: null } as const;
    const database = new DatabaseSync(file);
    database.exec("CREATE TRIGGER full BEFORE INSERT ON locks BEGIN SELECT RAISE(ROLLBACK, 'no room'); END");
    await expect(store.locks.put(lock)).rejects.toThrow('no room');
    database.exec('DROP TRIGGER full');
    database.close();
    expect(await store.locks.put(lock)).toEqual(['alice@local']);
    await store.close();
  });

  it('has its content and its version after it was closed', async () => {
    const store = await openStore({ at: file, clock: systemClock });
    const number = await store.bump('test');
    await store.close();
    const again = await openStore({ at: file, clock: systemClock });
    expect(await again.changeNumber()).toBe(number);
    await again.close();
    const database = new DatabaseSync(file);
    expect(database.prepare('pragma user_version').get()).toEqual({ user_version: STATE_VERSION });
    database.close();
  });

  it('of a newer version is rejected with what to do, and not changed', async () => {
    await (await openStore({ at: file, clock: systemClock })).close();
    using database = new DatabaseSync(file);
    database.exec(`pragma user_version = ${STATE_VERSION + 1}`);
    await expect(openStore({ at: file, clock: systemClock })).rejects.toMatchObject({ code: 'state-newer', message: expect.stringContaining('newer Lictor') });
    expect(database.prepare('pragma user_version').get()).toEqual({ user_version: STATE_VERSION + 1 });
  });

  it('that is no database, or cannot be made, is refused with what to do', async () => {
    writeFileSync(file, 'this is not a database, but it is long enough to look like one'.repeat(20));
    await expect(openStore({ at: file, clock: systemClock })).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining(file) });
    await expect(openStore({ at: join(dir, 'missing', 'lictor.db'), clock: systemClock })).rejects.toMatchObject({ code: 'store-unusable' });
  });
});

describe('a list in a column', () => {
  it('is read when it is a list of text', () => expect(fromColumn('["a","b"]')).toEqual(['a', 'b']));
  it.each(['', 'x', '{}', '[1]', '"a"', 'null'])('is refused when it is %j', (text) => {
    expect(() => fromColumn(text)).toThrow(expect.objectContaining({ code: 'store-corrupt' }));
  });
});
