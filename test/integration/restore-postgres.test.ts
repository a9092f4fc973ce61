// `lictor restore` into a Postgres database: a new one, one that is in use, and one of another program.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { makeMemoryDir } from '../../src/config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import { statePaths } from '../../src/config/state-dir.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { openStore } from '../../src/store/store.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';

let server: Postgres;
let root: string;
const at = (...names: readonly string[]): string => join(root, ...names);
const urlOf = (database: string): string => `postgres://${server.address.replace(/postgres$/, database)}`;

beforeAll(async () => {
  root = makeMemoryDir('lictor-restore-');
  server = await startPostgres();
  for (const name of ['first', 'fresh', 'others']) await query('postgres', `create database ${name}`);
  await query('others', 'create table tokens (other integer); insert into tokens values (7)');
});
afterAll(async () => {
  for (const name of ['old', 'new']) removeRuntimeDir(statePaths(at(name), at(name, 'run')));
  rmSync(root, { recursive: true });
  await server?.stop();
});

it('fills a new database, and refuses one with rows, with live nodes, or with the tables of another program', async () => {
  const ok = async (state: string, database: string, ...args: readonly string[]): Promise<string> => {
    const { status, out, err } = await lictor(state, database, ...args);
    expect([status, err]).toEqual([0, '']);
    return out;
  };
  await ok('old', 'first', 'token', 'create', 'ci', '--role', 'viewer');
  const recipient = (await ok('old', 'first', 'backup', '--new-identity', at('key.txt'))).trim();
  await ok('old', 'first', 'backup', '-o', at('b.age'), '--recipient', recipient);
  const restore = ['restore', at('b.age'), '--identity', at('key.txt')];

  const used = await lictor('new', 'first', ...restore);
  expect(used).toMatchObject({ status: 1, err: expect.stringMatching(/the store postgres:\S+first has rows already\. Name an empty database/) });
  expect(used.err).not.toContain('--state-dir');
  const store = await openStore({ at: { url: urlOf('first'), passwordFile: null }, clock: systemClock });
  await store.nodes.join({ name: 'n1', instance: 'i', version: '1', configuration: 'c' });
  const nodes = { status: 1, err: expect.stringMatching(/these nodes use the store \S+: n1\. .*stop all nodes/) };
  expect(await lictor('new', 'first', ...restore)).toMatchObject(nodes);
  expect((await store.tokens.byName('ci'))?.heldMs).toBeNull();
  await store.close();

  const foreign = { status: 1, err: expect.stringContaining('has tables of another program') };
  expect(await lictor('new', 'others', ...restore)).toMatchObject(foreign);
  expect(await lictor('new', 'others', ...restore, '--replace')).toMatchObject(foreign);
  expect(await query('others', 'select * from tokens')).toEqual([{ other: 7 }]);
  expect(await query('others', TABLES)).toEqual([{ tables: 1 }]);
  expect([existsSync(at('new', 'ledger.db')), existsSync(at('new', 'keys', 'seal.key'))]).toEqual([false, false]);

  expect(await ok('new', 'fresh', ...restore)).toMatch(/epoch is 1[\s\S]*tokens: ci\n/);
  expect(await query('fresh', 'select name, held_ms is not null as waits from tokens')).toEqual([{ name: 'ci', waits: true }]);
  expect([existsSync(at('new', 'lictor.yaml')), existsSync(at('new', 'keys', 'seal.key'))]).toEqual([false, true]);
  expect(await ok('new', 'fresh', 'audit', 'verify')).toContain('no record was edited');
});

const TABLES = `select count(*)::int as tables from pg_tables where schemaname = 'public'`;

async function query(database: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client(urlOf(database));
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function lictor(state: string, database: string, ...args: readonly string[]) {
  const file = at(`${database}.yaml`);
  writeFileSync(
    file,
    `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nnode: ${state}\nstore: ${JSON.stringify(urlOf(database))}\nidentity_providers: [{ id: local, type: accounts }]\n`,
  );
  const [out, err] = [new PassThrough(), new PassThrough()];
  const whole = ['--state-dir', at(state), '-c', file, ...args];
  const status = await main({ args: whole, out, err, env: {}, cwd: root, pause: async () => undefined });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}
