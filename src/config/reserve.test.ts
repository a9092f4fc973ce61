import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillReserve, withReserve } from './reserve.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-reserve-'));
  file = join(directory, 'reserve');
});
afterEach(() => rmSync(directory, { recursive: true }));

const size = () => statSync(file).size;

describe('the reserve', () => {
  it('is made, for its owner alone, and made whole again', () => {
    fillReserve(file);
    expect([size(), statSync(file).mode & 0o777]).toEqual([1 << 20, 0o600]);
    truncateSync(file, 1000);
    fillReserve(file);
    expect(size()).toBeGreaterThanOrEqual(1 << 20);
  });

  it('is no error where it cannot be made', () => {
    fillReserve(join(directory, 'missing', 'reserve'));
    expect(existsSync(join(directory, 'missing'))).toBe(false);
  });

  it('is given away only for what fails without it, once, and taken back', async () => {
    fillReserve(file);
    const seen: boolean[] = [];
    const open = async (): Promise<string> => {
      seen.push(existsSync(file));
      if (existsSync(file)) throw new Error('full');
      return 'open';
    };
    expect(await withReserve(file, open)).toBe('open');
    expect([seen, size()]).toEqual([[true, false], 1 << 20]);
    expect(await withReserve(file, async () => 'at once')).toBe('at once');
  });

  it('does not help against other failures, which are reported', async () => {
    const attempts: number[] = [];
    const broken = async (): Promise<never> => {
      attempts.push(1);
      throw new Error('no store');
    };
    await expect(withReserve(file, broken)).rejects.toThrow('no store');
    expect(attempts).toHaveLength(1);
    await expect(withReserve(file, broken)).rejects.toThrow('no store');
    expect([attempts.length, size()]).toEqual([3, 1 << 20]);
  });
});
