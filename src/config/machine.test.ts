// What a machine or container gives, and what Lictor makes of it.
import { describe, expect, it } from 'vitest';
import { boundsOf, heapMib, memoryLimit, openFilesLimit, readMachine } from './machine.ts';

const MIB = 1024 * 1024;

describe('a machine', () => {
  it('has some files, memory and processors here', () => {
    const machine = readMachine();
    expect(machine).toEqual({ openFiles: expect.any(Number), memoryBytes: expect.any(Number), processors: expect.any(Number) });
    expect(Math.min(...Object.values(machine))).toBeGreaterThan(0);
    expect(readMachine(999_999_999).openFiles).toBe(65_536);
  });

  it.each([
    ['Max open files            1024                 4096                 files', 4096],
    ['Max open files            1024                 1048576              files', 65_536],
    ['Max open files            unlimited            unlimited            files', 65_536],
    ['', 65_536],
  ])('%s: %i open files', (limits, files) => expect(openFilesLimit(limits)).toBe(files));

  it('has the memory of the smallest group above it', () => {
    const limits: Record<string, number> = { '/a/b': Number.POSITIVE_INFINITY, '/a': 512 * MIB, '/': Number.POSITIVE_INFINITY };
    const limitOf = (group: string) => limits[group] ?? Number.NaN;
    expect(memoryLimit('0::/a/b\n', limitOf)).toBe(512 * MIB);
    expect(memoryLimit('0::/\n', limitOf)).toBe(Number.POSITIVE_INFINITY);
    // cgroup v1, and a kernel without groups.
    expect(memoryLimit('4:memory:/a/b\n', limitOf)).toBe(Number.POSITIVE_INFINITY);
    expect(memoryLimit('')).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('bounds', () => {
  it.each([1024, 4096, 65_536])('leave files free: %i', (openFiles) => {
    const { sockets, serviceCalls, heldUpgrades } = boundsOf({ openFiles, memoryBytes: MIB });
    expect(2 * (sockets + serviceCalls)).toBeLessThanOrEqual(openFiles * 0.875);
    expect(heldUpgrades).toBeLessThanOrEqual(openFiles / 2);
  });

  it.each([
    [256 * MIB, 16 * MIB],
    [2048 * MIB, 32 * MIB],
    [32_768 * MIB, 64 * MIB],
  ])('fit large bodies into %i bytes of memory', (memoryBytes, bodyBytes) => expect(boundsOf({ openFiles: 65_536, memoryBytes }).bodyBytes).toBe(bodyBytes));

  it.each([
    [128 * MIB, 64],
    [1024 * MIB, 256],
    [8192 * MIB, 512],
  ])('give a thread at most a quarter of %i bytes', (memoryBytes, mib) => expect(heapMib(512, { memoryBytes })).toBe(mib));
});
