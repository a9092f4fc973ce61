// What the commands say when the disk takes nothing more: a limit on the size of files does the same to a process, for every user.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import { openStore, type Store } from '../store/store.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

let root = '';
let store: Store;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'lictor-full-'));
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
  store = await openStore({ file: join(root, 'lictor.db'), clock: systemClock });
});
afterEach(async () => {
  await store.close();
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

function lictor(kibibytes: number | 'unlimited', ...args: string[]) {
  const command = [process.execPath, MAIN, '--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `ulimit -f ${kibibytes}; exec "$@"`, 'bash', ...command], { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

/** As the gateway holds it open: the log of SQLite goes on behind what is in it, and beyond the limit. */
async function fillLog(): Promise<void> {
  while (statSync(join(root, 'lictor.db-wal')).size < 128 * 1024) await store.bump('test');
}

describe('lictor lock and token revoke, on a store that cannot be written', () => {
  it.each([[['lock', 'address:192.0.2.7']], [['token', 'revoke', 'etl']]])(
    '%j: nothing was changed, with the remedy, and no word of a rollback',
    async (args) => {
      lictor('unlimited', 'token', 'create', 'etl', '--role', 'worker');
      await fillLog();
      const { status, err } = lictor(64, ...args);
      expect([status, err]).toEqual([1, expect.stringMatching(/^lictor: Nothing was changed: the store \S+lictor\.db cannot be written\. .*space/)]);
      expect(err).not.toMatch(/rollback|defect/);
      expect(await store.locks.list()).toEqual([]);
      expect(lictor('unlimited', ...args)).toMatchObject({ status: 0, err: '' });
    },
  );
});

describe('lictor check', () => {
  it('says that what it renders cannot be written, and finds no problem where it can', () => {
    const { status, out, err } = lictor(4, 'check');
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/^lictor: The configuration was not tested: the state directory \S+ cannot be written\. .*space/);
    expect(err).not.toContain('defect');
    expect(lictor('unlimited', 'check')).toMatchObject({ status: 0, err: '' });
  });
});

describe('any other command', () => {
  it('is no defect of lictor where SQLite cannot make what it reads with', () => {
    lictor('unlimited', 'token', 'create', 'etl', '--role', 'worker');
    expect(lictor(4, 'audit', 'verify')).toMatchObject({ status: 1, err: expect.stringMatching(/^lictor: .*\nA file could not be written\. .*space/) });
    expect(lictor('unlimited', 'audit', 'verify')).toMatchObject({ status: 0, err: '' });
  });
});
