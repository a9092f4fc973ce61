// What the commands say when the disk takes nothing more: a limit on the size of files does the same to a process, for every user.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import { statePaths } from '../../src/config/state-dir.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { run } from '../env/process.ts';
import { MAIN } from '../env/program.ts';

let root = '';
let store: Store;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'lictor-full-'));
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
  store = await openStore({ at: join(root, 'lictor.db'), clock: systemClock });
});
afterEach(async () => {
  await store.close();
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

const inState = (args: readonly string[]) => ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args];

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: inState(args), out, err, env: { ...process.env }, cwd: root, pause: async () => undefined });
  return { status, err: String(err.read() ?? '') };
}

/** The same in a separate process that can write at most this number of KiB into a file. */
async function limited(kibibytes: number, ...args: string[]) {
  const outFile = join(root, 'out');
  const { code, output } = await run({
    name: args.join(' '),
    command: 'bash',
    args: ['-c', `ulimit -f ${kibibytes}; exec "$@" >"$0"`, outFile, process.execPath, MAIN, ...inState(args)],
    env: { PATH: process.env['PATH'] },
  });
  return { status: code, out: readFileSync(outFile, 'utf8'), err: output };
}

/** As the gateway holds it open: the log of SQLite goes on behind what is in it, and beyond the limit. */
async function fillLog(): Promise<void> {
  while (statSync(join(root, 'lictor.db-wal')).size < 128 * 1024) await store.bump('test');
}

describe('lictor lock and token revoke, on a store that cannot be written', () => {
  it.each([[['lock', 'address:192.0.2.7']], [['token', 'revoke', 'etl']]])(
    '%j: nothing was changed, with the remedy, and no word of a rollback',
    async (args) => {
      await lictor('token', 'create', 'etl', '--role', 'worker');
      await fillLog();
      const { status, err } = await limited(64, ...args);
      expect([status, err]).toEqual([1, expect.stringMatching(/^lictor: Nothing was changed: the store \S+lictor\.db cannot be written\. .*space/)]);
      expect(err).not.toMatch(/rollback|defect/);
      expect(await store.locks.list()).toEqual([]);
      expect(await lictor(...args)).toMatchObject({ status: 0, err: '' });
    },
  );
});

describe('lictor backup', () => {
  it('says that the file was not written, and leaves no part of it', async () => {
    await lictor('token', 'create', 'etl', '--role', 'worker');
    await lictor('backup', '--new-identity', join(root, 'key'));
    const recipient = /age1\S+/.exec(readFileSync(join(root, 'key'), 'utf8'))?.[0] ?? '';
    const file = join(root, 'b.age');
    const { status, err } = await limited(1, 'backup', '-o', file, '--recipient', recipient);
    expect([status, err]).toEqual([1, expect.stringMatching(/^lictor: \S+b\.age was not written: .*space/)]);
    expect(readdirSync(root).filter((name) => name.startsWith('b.age'))).toEqual([]);
    expect(await lictor('backup', '-o', file, '--recipient', recipient)).toMatchObject({ status: 0, err: '' });
  });
});

describe('lictor check', () => {
  it('says that what it renders cannot be written, and finds no problem where it can', async () => {
    const { status, out, err } = await limited(4, 'check');
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/^lictor: The configuration was not tested: the state directory \S+ cannot be written\. .*space/);
    expect(err).not.toContain('defect');
    expect(await lictor('check')).toMatchObject({ status: 0, err: '' });
  });
});

describe('any other command', () => {
  it('is no defect of lictor where SQLite cannot make what it reads with', async () => {
    await lictor('token', 'create', 'etl', '--role', 'worker');
    expect(await limited(4, 'audit', 'verify')).toMatchObject({ status: 1, err: expect.stringMatching(/^lictor: .*\nA file could not be written\. .*space/) });
    expect(await lictor('audit', 'verify')).toMatchObject({ status: 0, err: '' });
  });
});
