import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { prepare, prepareRead } from './prepared-read.ts';
import { openSqlite } from './sqlite.ts';

it('asks with the values of each call, and with as many as there are places', async () => {
  const root = makeMemoryDir('lictor-prepared-read-');
  const database = openSqlite(join(root, 'store.db'));
  const { read: db, close } = database;
  try {
    await db.schema.createTable('locks').addColumn('kind', 'text').addColumn('value', 'text').execute();
    for (const value of ['a', 'b'])
      await db
        .insertInto('locks')
        .values({ kind: 'address', value } as never)
        .execute();
    const find = prepareRead(database, db.selectFrom('locks').select('value').where('value', '=', '').where('kind', '=', 'idp'));
    expect(await find('a', 'address')).toEqual([{ value: 'a' }]);
    expect(await find('b', 'address')).toEqual([{ value: 'b' }]);
    expect(await find('address', 'a')).toEqual([]);
    await expect(find('a')).rejects.toThrow(TypeError);
    await expect(find('a', 'address', 'b')).rejects.toThrow(TypeError);
  } finally {
    await close();
    rmSync(root, { recursive: true });
  }
});

it('runs within the transaction, and is undone with it', async () => {
  const root = makeMemoryDir('lictor-prepared-read-');
  const { read: db, select, write, close } = openSqlite(join(root, 'store.db'));
  try {
    await db.schema.createTable('locks').addColumn('value', 'text').execute();
    const insert = prepare(db.insertInto('locks').values({ value: '' } as never));
    const list = prepare(db.selectFrom('locks').select('value'));
    const undone = write(async (_transaction, run) => {
      await insert(run, 'a');
      expect(await list(run)).toEqual([{ value: 'a' }]);
      expect(await list(select)).toEqual([]);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await list(select)).toEqual([]);
    await write(async (_transaction, run) => insert(run, 'b'));
    expect(await list(select)).toEqual([{ value: 'b' }]);
  } finally {
    await close();
    rmSync(root, { recursive: true });
  }
});
