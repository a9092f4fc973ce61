// The store on a real Postgres: the contract of every store, and what is said of a database that cannot be one.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeMemoryDir } from '../../src/config/memory-dir.fixture.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { shownAddress } from '../../src/contract/store-address.ts';
import { describeStoreContract } from '../../src/store/contract-suite.fixture.ts';
import { copyToPostgres } from '../../src/store/copy-to-postgres.ts';
import { isStoreUsed, loadStore, openStoreDump, type StoreDump } from '../../src/store/dump.ts';
import { NO_LATER_STORE } from '../../src/store/restores.ts';
import type { TableRows } from '../../src/store/sqlite-rows.ts';
import { openStore } from '../../src/store/store.ts';
import { SCHEMA } from '../../src/store/tables.ts';
import { GUARDED_USER, type Postgres, startPostgres } from '../env/several/postgres.ts';
import { releaseTests } from './several/releases.ts';

let server: Postgres;
let admin: pg.Client;
const address = (database: string, user = 'prefect') => ({
  url: `postgres://${user}@${server.address.split('@')[1]?.split('/')[0]}/${database}`,
  passwordFile: null,
});
const contract = () => address('contract');

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Client(`postgres://${server.address}`);
  await admin.connect();
  for (const name of ['contract', 'created', 'others', 'newer', 'rights', 'readonly', 'old', 'guarded', 'copied', 'restored', 'releases', 'shared'])
    await admin.query(`create database ${name}`);
});
afterAll(async () => {
  await admin?.end();
  await server?.stop();
});

/** Changes the store while its rows are read. */
async function* withToken(rows: ReturnType<StoreDump['rows']>, change: () => Promise<unknown>): AsyncGenerator<TableRows> {
  let isChanged = false;
  for await (const some of rows) {
    if (!isChanged) await change();
    isChanged = true;
    yield some;
  }
}

/** In the order of their creation. */
const TABLES = SCHEMA.flatMap((statement) => /^create table (\w+)/.exec(statement)?.[1] ?? []).filter((table) => table !== 'change_number');
const EMPTY = TABLES.toReversed()
  .map((table) => `delete from ${table}`)
  .join(';');

describeStoreContract('Postgres', async (clock) => {
  const [store, other] = await Promise.all([openStore({ at: contract(), clock }), openStore({ at: contract(), clock })]);
  const own = await connect('contract');
  return {
    store,
    other,
    async fillAttempts(count) {
      await own.query(
        `insert into login_attempts (id, return_to, created_ms, guesser) select 'a' || n, '/', $2, '192.0.2.' || n % 250 from generate_series(1, $1::int) n`,
        [count, clock()],
      );
    },
    async cleanUp() {
      await Promise.all([store.close(), other.close()]);
      await own.query(EMPTY);
      await own.end();
    },
  };
});

async function connect(database: string): Promise<pg.Client> {
  const client = new pg.Client(address(database).url);
  await client.connect();
  return client;
}

async function run(database: string, statement: string): Promise<void> {
  const client = await connect(database);
  await client.query(statement).finally(() => client.end());
}

const OLD = `create schema older;
  create function older.current_setting(text) returns text language sql as
    $$ select case $1 when 'server_version_num' then '130014' else pg_catalog.current_setting($1) end $$;
  alter database old set search_path = older, pg_catalog, public`;

describe('a database of Postgres', () => {
  it('gets its tables once from many nodes that start at once, and keeps what they write', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStore({ at: address('created'), clock: systemClock })));
    const number = Math.max(...(await Promise.all(stores.map((store) => store.bump('test')))));
    expect(await Promise.all(stores.map((store) => store.changeNumber()))).toEqual(stores.map(() => number));
    expect(number).toBe(1 + stores.length);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('takes changes of the same rows from many connections at once: each succeeds, and counts once', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ at: address('created'), clock: systemClock, connections: 6 })));
    const before = await stores[0]?.changeNumber();
    const jobs = Array.from({ length: 20 }, (_, index) => index).flatMap((index) =>
      stores.map((store, node) => Promise.all([store.bump('test'), store.leases.put({ id: `${node}-${index}`, principal: 'p', flowRun: null }, 60_000)])),
    );
    await Promise.all(jobs);
    expect(await stores[0]?.changeNumber()).toBe((before ?? 0) + jobs.length);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('of the first version gets the table of the second one, as a new database has it', async () => {
    const columns = async () => {
      const client = await connect('created');
      const text = `select column_name, data_type, collation_name, is_nullable from information_schema.columns where table_name = 'ledger_exports' order by 1`;
      return (await client.query(text).finally(() => client.end())).rows;
    };
    const open = () => openStore({ at: address('created'), clock: systemClock });
    await (await open()).close();
    const fresh = await columns();
    await run('created', 'drop table ledger_exports; update lictor_store set version = 1');
    await (await open()).close();
    expect(fresh).toHaveLength(4);
    expect(await columns()).toEqual(fresh);
  });

  it('sorts text by its bytes, as SQLite does, and takes text with U+0000', async () => {
    const store = await openStore({ at: address('created'), clock: systemClock });
    for (const name of ['b', 'B', 'a\0']) await store.accounts.create({ id: name, name, roles: [], password: '' });
    expect((await store.accounts.list()).map(({ name }) => name)).toEqual(['B', 'a\uFFFD', 'b']);
    await store.close();
  });

  it('gives its clock to a node, and leaves a given time as it is', async () => {
    const store = await openStore({ at: address('created'), clock: systemClock });
    expect(Math.abs(store.clock() - systemClock())).toBeLessThan(2_000);
    await store.close();
    const fixed = await openStore({ at: address('created'), clock: () => 1 });
    expect(fixed.clock()).toBe(1);
    await fixed.close();
  });

  it.each([
    ['is refused where tables of another program are', 'others', 'create table tokens (id int)', 'store-foreign', /separate database/],
    ['of a newer version is refused', 'newer', 'create table lictor_store as select 7 as version', 'state-newer', /newer Lictor/],
    // There is no older server here: a function of the database gives the version of one.
    ['of an older Postgres is refused', 'old', OLD, 'store-too-old', /is Postgres 13, and Lictor needs 14 or newer: upgrade the server/],
    ['that takes no changes is refused', 'readonly', 'alter database readonly set default_transaction_read_only = on', 'store-read-only', /primary/],
  ])('%s, with what to do, and nothing is changed', async (_name, database, prepare, code, message) => {
    await run(database, prepare);
    const before = await tablesOf(database);
    await expect(openStore({ at: address(database), clock: systemClock })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await tablesOf(database)).toEqual(before);
  });

  it('without rights, without a right password, or without a server is refused with what to do', async () => {
    await admin.query(`create role ${GUARDED_USER} login password 'right p%w'; create role powerless login; create role owner login`);
    await run('rights', 'revoke create on schema public from public');
    const open = (at: Parameters<typeof openStore>[0]['at']) => openStore({ at, clock: systemClock });
    await expect(open(address('rights', 'powerless'))).rejects.toMatchObject({ code: 'store-rights', message: expect.stringContaining('GRANT') });
    await expect(open(address('none'))).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('createdb') });
    await expect(open(address('guarded', GUARDED_USER))).rejects.toMatchObject({ code: 'store-password' });
    const error: unknown = await open(address('guarded', `${GUARDED_USER}:wrong-secret`)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'store-password', message: expect.not.stringContaining('wrong-secret') });
    await expect(open({ url: 'postgres://lictor@127.0.0.1:1/x', passwordFile: null })).rejects.toMatchObject({ code: 'store-unreachable' });
    await admin.query(`grant all on database guarded to ${GUARDED_USER}`);
    await run('guarded', `grant create on schema public to ${GUARDED_USER}`);
    await (await open(address('guarded', `${GUARDED_USER}:${encodeURIComponent('right p%w')}`))).close();
  });

  it('gets all rows of an SQLite store, once; a copy that differs, and one into other rows, are refused', async () => {
    const dir = makeMemoryDir('lictor-store-');
    const from = join(dir, 'lictor.db');
    const old = await openStore({ at: from, clock: systemClock });
    await old.accounts.create({ id: 'a', name: 'alice\0', roles: ['viewer'], password: 'phc' });
    await old.sessions.create({ id: 's', account: { id: 'a', password: 'phc' }, expiresMs: systemClock() + 60_000 });
    for (const flow of ['f1', 'f2', 'f3']) await old.knownFlows.put('p', flow);
    const number = await old.bump('test');
    const copy = () => copyToPostgres({ from, to: address('copied'), onProgress: () => undefined });
    const first = await copy();
    expect(first).toMatchObject({ isNew: true, tables: expect.arrayContaining([expect.objectContaining({ table: 'known_flows', rows: 3 })]) });
    expect(await copy()).toEqual({ ...first, isNew: false });
    const copied = await openStore({ at: address('copied'), clock: systemClock });
    expect([await copied.changeNumber(), (await copied.sessions.byId('s'))?.owner]).toMatchObject([number, { account: { name: 'alice\uFFFD' } }]);
    await copied.bump('newer');
    await expect(copy()).rejects.toMatchObject({ code: 'store-not-empty', message: expect.stringContaining('Nothing was changed') });
    expect(await copied.changeNumber()).toBe(number + 1);
    await Promise.all([old.close(), copied.close()]);
    rmSync(dir, { recursive: true });
  });

  it('is restored from rows of one moment, whole or not at all', async () => {
    const dir = makeMemoryDir('lictor-rows-');
    const file = join(dir, 'lictor.db');
    const from = await openStore({ at: address('created'), clock: systemClock });
    const token = (name: string) => ({ id: name, name, roles: ['viewer'], cidrs: [], lifetimeMs: null, hash: name });
    for (let index = 0; index < 250; index += 1) await from.tokens.create(token(`t${index}`));
    using dump = await openStoreDump(address('created'));
    const restored = { backupId: 'b', madeMs: 1, restoredMs: systemClock(), later: NO_LATER_STORE };
    const { waiting } = await loadStore(
      { file, restored },
      withToken(dump.rows(), () => from.tokens.create(token('younger'))),
    );
    expect(waiting.tokens).toEqual(Array.from({ length: 250 }, (_, index) => `t${index}`).sort());
    const into = await openStore({ at: address('restored'), clock: systemClock });
    await into.tokens.create(token('former'));
    const joinedMs = await into.nodes.join({ name: 'n1', instance: 'i', version: '1', configuration: 'c' });
    const move = () => copyToPostgres({ from: file, to: address('restored'), former: 'replaced', onProgress: () => undefined });
    await expect(move()).rejects.toMatchObject({ code: 'store-in-use', message: expect.stringContaining('n1') });
    await into.nodes.leave({ name: 'n1', instance: 'i' }, joinedMs);
    await run('restored', 'alter table token_secrets add constraint small check (hash = $$former$$) not valid');
    await expect(move()).rejects.toThrow();
    expect((await into.tokens.list()).map(({ name }) => name)).toEqual(['former']);
    await run('restored', 'alter table token_secrets drop constraint small');
    await move();
    expect(await into.tokens.list()).toHaveLength(250);
    expect((await into.tokens.byName('t0'))?.heldMs).toBe(restored.restoredMs);
    expect([await isStoreUsed(address('restored')), await isStoreUsed(address('readonly'))]).toEqual([true, false]);
    await Promise.all([from.close(), into.close()]);
    rmSync(dir, { recursive: true });
  });

  it('is shown without the password', () => {
    expect(shownAddress(address('guarded', 'me:hidden'))).toMatch(/^postgres:\/\/me@127\.0\.0\.1:\d+\/guarded$/);
  });

  it('that ends says so at once, and is used again when it is back, without a new start', async () => {
    const store = await openStore({ at: contract(), clock: systemClock });
    await store.bump('before');
    await admin.end();
    await server.end();
    await expect(store.changeNumber()).rejects.toMatchObject({ code: 'store-unreachable' });
    await expect(store.bump('meanwhile')).rejects.toMatchObject({ code: 'store-unreachable' });
    await server.begin();
    expect(await store.bump('after')).toBe(await store.changeNumber());
    await store.close();
    admin = await connect('postgres');
  });
});

describe('nodes', () => {
  it('hear of a change, and one of them has a duty; the other one gets it when the connection of the first is cut', async () => {
    const [one, two] = await Promise.all([nodeOf('one'), nodeOf('two')]);
    await one.begins();
    two.hold();
    expect((await one.store.bump('a change')) > 1).toBe(true);
    await vi.waitFor(() => expect(two.heard()).toBeGreaterThan(1));
    const fence = one.fence();
    await admin.query("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
    await two.begins();
    expect([one.fence(), two.fence()]).toEqual([null, fence === null ? null : fence + 1]);
    // The former holder may not know yet that it has lost the duty.
    const { ledgerShelf: shelf } = one.store;
    await shelf.append(
      'gone',
      [1, 2, 3].map((seq) => ({ seq, hash: '', body: '' })),
      { text: 'h', signature: '' },
    );
    const first = async () => (await shelf.after('gone', 0, 1))[0]?.seq;
    const trim = (by: number | null) => shelf.trim('gone', 2, { start: { text: `by ${by}`, signature: '' }, fence: by ?? 0 });
    expect([await trim(fence), await first(), (await shelf.headOf('gone'))?.start]).toEqual([false, 1, null]);
    expect([await trim(two.fence()), await first(), (await shelf.headOf('gone'))?.start?.text]).toEqual([true, 3, `by ${two.fence()}`]);
    await one.close();
    await two.close();
  });

  it('that had the duty of exports store no position: another one has it now', async () => {
    const store = await openStore({ at: address('created'), clock: systemClock });
    const { ledgerExports: exports } = store;
    const chain = { sink: 's', node: 'gone', seq: 1 };
    const position = async (by: number) => (await exports.claimLost(by)).map(({ seq }) => seq);
    await exports.sent(chain, null);
    await run('created', "insert into duties (name, fence, holder) values ('exports', 1, 'one')");
    expect([await position(1), await exports.sent({ ...chain, seq: 2 }, 1)]).toEqual([[1], true]);
    await run('created', "update duties set fence = 2, holder = 'two' where name = 'exports'");
    expect([await exports.sent({ ...chain, seq: 3 }, 1), await position(1), await position(2)]).toEqual([false, [], [2]]);
    await store.close();
  });

  it('with one name are refused while the first lives', async () => {
    const store = await openStore({ at: address('created'), clock: systemClock });
    const node = { name: 'n1', instance: 'a', version: '1', configuration: 'c' };
    const former = await store.nodes.join(node);
    const startedMs = await store.nodes.join(node);
    await expect(store.nodes.join({ ...node, instance: 'b' })).rejects.toMatchObject({ code: 'node-name-taken' });
    expect(await store.nodes.beat({ ...node, instance: 'b' }, startedMs)).toBe(false);
    expect(await store.nodes.recent()).toMatchObject([node]);
    // The successor of a process has the row: the former one neither beats nor removes it.
    expect([await store.nodes.beat(node, former), await store.nodes.beat(node, startedMs)]).toEqual([false, true]);
    await store.nodes.leave(node, former);
    expect(await store.nodes.recent()).toMatchObject([node]);
    await store.nodes.leave(node, startedMs);
    await store.nodes.join({ ...node, instance: 'b' });
    await store.close();
  });
});

describe('a primary and its standby', () => {
  it('are one store: the standby takes changes, notices and duties when it is promoted, and none before', async () => {
    const primary = await startPostgres();
    const standby = await primary.standby();
    // The standby stands first, and is left out while it is one.
    const at = { url: `postgres://${primary.address.replace('@127.0.0.1:', '@127.0.0.2,127.0.0.1:')}`, passwordFile: null };
    const node = await nodeOf('one', at);
    await node.begins();
    await node.store.bump('before');
    const before = await node.store.changeNumber();
    await primary.kill();
    await expect(node.store.bump('meanwhile')).rejects.toMatchObject({ code: expect.stringMatching(/^store-(?:unreachable|read-only)$/) });
    await vi.waitFor(() => expect(node.fence()).toBeNull(), { timeout: 10_000 });
    await standby.promote();
    // The same number by another server is another number: it may stand for other changes.
    await vi.waitFor(async () => expect(await node.store.changeNumber()).not.toBe(before), { timeout: 10_000 });
    await vi.waitFor(() => node.store.bump('after'), { timeout: 10_000 });
    await vi.waitFor(() => expect(node.fence()).not.toBeNull(), { timeout: 10_000 });
    const heard = node.heard();
    await node.store.bump('a change');
    await vi.waitFor(() => expect(node.heard()).toBeGreaterThan(heard));
    await node.close();
    await standby.stop();
    await primary.stop();
  });
});

releaseTests({ at: address, run, tablesOf });

/** Holds the retention from `begins` or `hold` on. */
async function nodeOf(node: string, at = address('created')) {
  const store = await openStore({ at, clock: systemClock });
  let [heard, fence]: [number, number | null] = [0, null];
  const coordination = await store.coordinate({
    ...{ node, listenAt: null, onState: () => undefined },
    onChange() {
      heard += 1;
    },
    onError: (_duty, error) => {
      throw error;
    },
  });
  const hold = () =>
    void coordination.hold('retention', async (duty) => {
      fence = duty.fence;
      return async () => {
        fence = null;
      };
    });
  return {
    store,
    hold,
    heard: () => heard,
    fence: () => fence,
    async begins() {
      hold();
      await vi.waitFor(() => expect(fence).not.toBeNull());
    },
    async close() {
      await coordination.close();
      await store.close();
    },
  };
}

async function tablesOf(database: string): Promise<readonly unknown[]> {
  const client = await connect(database);
  const { rows } = await client.query("select relname from pg_class where relkind in ('r', 'i', 'S') and relnamespace = 'public'::regnamespace order by 1");
  await client.end();
  return rows;
}
