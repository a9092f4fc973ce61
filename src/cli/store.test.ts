// `lictor store migrate` before it reaches a database: what it refuses, without an effect.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

let root = '';
beforeEach(() => {
  root = makeMemoryDir('lictor-migrate-');
  configure('');
});
afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

function configure(more: string): void {
  writeFileSync(join(root, 'lictor.yaml'), `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:9 }\n${more}`);
}

async function migrateTo(url: string) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['store', 'migrate', '--state-dir', root, '--to', url], out, err, env: {}, cwd: root, pause: async () => undefined });
  return { status, err: String(err.read() ?? '') };
}

it.each([
  ['sqlite:other.db', /no address of a Postgres database/],
  ['postgres://lictor@db.example/lictor', /sslmode/],
  ['postgres://lictor:hidden@localhost/lictor', /other users of this machine can see/],
])('refuses to copy to %s', async (url, says) => {
  const { status, err } = await migrateTo(url);
  expect([status, err]).toEqual([2, expect.stringMatching(says)]);
  expect(err).not.toContain('hidden');
});

it('needs a store, and a server that answers', async () => {
  expect(await migrateTo('postgres://lictor@127.0.0.1:1/lictor')).toMatchObject({ status: 1, err: expect.stringContaining('There is no store') });
  await (await openStore({ at: join(root, 'lictor.db'), clock: Date.now })).close();
  expect(await migrateTo('postgres://lictor@127.0.0.1:1/lictor')).toMatchObject({ status: 1, err: expect.stringContaining('does not answer') });
});

it('copies no store that is on Postgres already', async () => {
  configure('store: postgres://lictor@127.0.0.1/lictor\n');
  expect(await migrateTo('postgres://lictor@127.0.0.1:1/lictor')).toMatchObject({ status: 1, err: expect.stringContaining('on Postgres already') });
});
