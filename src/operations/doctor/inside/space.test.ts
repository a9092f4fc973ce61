import { describe, expect, it } from 'vitest';
import { checkBounds, checkCacheSpace, checkDisk } from './space.ts';

const MIB = 1024 * 1024;
const TMPFS = 0x01021994;
const free =
  (mib: number, type = TMPFS) =>
  () => ({ type, freeBytes: mib * MIB });

describe('space', () => {
  it.each([
    [2048, 'ok'],
    [1000, 'warn'],
    [99, 'fail'],
    [0, 'fail'],
  ])('calls %i MiB free on the disk %s', (mib, status) => {
    expect(checkDisk('/state', free(mib))).toMatchObject({ status });
  });

  it.each([
    [128, 'ok'],
    [63, 'ok'],
    [31, 'warn'],
    [7, 'fail'],
    [0, 'fail'],
  ])('calls %i MiB free in the decision cache %s', (mib, status) => {
    expect(checkCacheSpace('/run/decisions', free(mib))).toMatchObject({ status });
  });

  it('names a decision cache on a disk', () => {
    expect(checkCacheSpace('/tmp/decisions', free(5000, 0xef53))).toMatchObject({ status: 'warn', message: expect.stringContaining('not on tmpfs') });
  });

  it.each([
    [1024, 4096, 'warn'],
    [65_536, 256, 'warn'],
    [65_536, 4096, 'ok'],
  ])('names what follows from %i open files and %i MiB of memory', (openFiles, mib, status) => {
    const verdict = checkBounds({ openFiles, memoryBytes: mib * MIB, processors: 2 });
    expect(verdict).toMatchObject({ status, message: expect.stringMatching(/open files .* of memory, 2 processors: at most \d+ sockets, \d+ calls/) });
  });
});
