import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, answering, PAGE, REFUSED } from '../outside/answers.fixture.ts';
import { checkBackDoors, openPorts } from './back-doors.ts';
import { REMEDIES } from './codes.ts';
import { checkDescriptors, checkInodes, descriptorsOf } from './resources.ts';
import { checkStateFiles } from './state-files.ts';

const us = process.geteuid?.() ?? 0;

describe('the files of the state directory', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'lictor-test-state-'));
    mkdirSync(join(root, 'keys'), { mode: 0o700 });
    mkdirSync(join(root, 'tls'), { mode: 0o711 });
    writeFileSync(join(root, 'keys', 'seal.key'), '', { mode: 0o600 });
    writeFileSync(join(root, 'tls', 'ca.pem'), '', { mode: 0o644 });
    symlinkSync('/nowhere', join(root, 'run'));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const check = (owners = [us]) => checkStateFiles({ root, run: join(root, 'run') }, owners);

  it('are closed to others, but for what clients need', () => expect(check()).toMatchObject([{ status: 'ok', message: expect.stringContaining('4 files') }]));

  it.each([
    ['keys/seal.key', 0o640],
    ['keys/seal.key', 0o604],
    ['tls/ca.pem', 0o666],
    ['tls', 0o777],
    ['.', 0o770],
  ])('open to others are named: %s %o', (file, mode) => {
    chmodSync(join(root, file), mode);
    expect(check()).toMatchObject([
      { status: 'fail', code: 'state-open', message: expect.stringContaining(`mode ${mode.toString(8)}`), remedy: REMEDIES['state-open'] },
    ]);
  });

  it.skipIf(us !== 0)('of another user are named', () => {
    chownSync(join(root, 'keys', 'seal.key'), 4711, 4711);
    expect(check()).toMatchObject([{ code: 'state-foreign', message: expect.stringContaining('belongs to user 4711'), remedy: REMEDIES['state-foreign'] }]);
    expect(check([us, 4711])).toMatchObject([{ status: 'ok' }]);
  });
});

describe('resources', () => {
  it('names a file system that is full of files', () => {
    expect(checkInodes('/state', { total: 1_000_000, free: 999 })).toMatchObject({ status: 'fail', code: 'inodes-few', remedy: REMEDIES['inodes-few'] });
    expect(checkInodes('/state', { total: 1_000_000, free: 1_000 })).toMatchObject({ status: 'ok' });
    expect(checkInodes('/state', { total: 0, free: 0 })).toMatchObject({ status: 'ok' });
  });

  it('names a process that uses most of its descriptors', () => {
    expect(
      checkDescriptors([
        { pid: 7, open: 81, limit: 100 },
        { pid: 8, open: 1, limit: 100 },
      ]),
    ).toMatchObject([{ status: 'fail', code: 'descriptors-used', message: 'process 7 uses 81 of its 100 descriptors', remedy: REMEDIES['descriptors-used'] }]);
    expect(checkDescriptors([{ pid: 7, open: 80, limit: 100 }])).toMatchObject([{ status: 'ok' }]);
    expect(descriptorsOf(process.pid)[0]).toMatchObject({ pid: process.pid, open: expect.any(Number), limit: expect.any(Number) });
  });
});

describe('further Prefect servers of this machine', () => {
  const check = (by: Parameters<typeof answering>[0], except: readonly number[] = []) => checkBackDoors({ ports: [4200, 5432], except, probe: answering(by) });
  const only =
    (port: number, probe: ReturnType<typeof answer>) =>
    ({ url }: { url: string }) =>
      url.includes(`:${port}/`) ? probe : REFUSED;

  it('are none where other programs listen', async () => {
    expect(await check(REFUSED)).toMatchObject([{ status: 'ok' }]);
    expect(await check(PAGE)).toMatchObject([{ status: 'ok' }]);
    expect(await check(only(4200, answer(200, '"3.9.1"')), [4200])).toMatchObject([{ status: 'ok' }]);
  });

  it('are named, worse without an auth string', async () => {
    expect(await check(only(4200, answer(200, '"3.9.1"')))).toMatchObject([
      { status: 'fail', code: 'back-door-open', message: expect.stringContaining('port 4200 of every address'), remedy: REMEDIES['back-door-open'] },
    ]);
    const guarded = answer(401, { exception_message: 'Unauthorized' });
    expect(await check(only(4200, guarded))).toMatchObject([{ status: 'warn', code: 'back-door-guarded', remedy: REMEDIES['back-door-guarded'] }]);
  });

  it('are looked for at the ports that listen on every address', () => {
    const head = '  sl  local_address rem_address   st\n';
    const row = (address: string, state: string) => `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  0 0 1\n`;
    const tcp = `${head}${row('00000000:1068', '0A')}${row('0100007F:1069', '0A')}${row('00000000:106A', '01')}`;
    const tcp6 = `${head}   0: ${'0'.repeat(32)}:1068 ${'0'.repeat(32)}:0000 0A 0\n   1: ${'0'.repeat(32)}:1F90 ${'0'.repeat(32)}:0000 0A 0\n`;
    expect(openPorts([tcp, tcp6])).toEqual([4200, 8080]);
  });
});
