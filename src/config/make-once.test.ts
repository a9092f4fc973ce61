import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOnce } from './make-once.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-once-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a secret file that is made once', () => {
  it("is its owner's alone, in a directory that is too, and leaves nothing beside it", () => {
    const file = join(directory, 'keys', 'a.key');
    makeOnce(file, 'first');
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect([statSync(file).mode & 0o777, statSync(join(directory, 'keys')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readdirSync(join(directory, 'keys'))).toEqual(['a.key']);
  });

  it('stays unchanged when another process was first', () => {
    const file = join(directory, 'a.key');
    makeOnce(file, 'first');
    makeOnce(file, 'second');
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect(readdirSync(directory)).toEqual(['a.key']);
  });

  it('is on the disk before it has its name, and its name then', () => {
    const file = join(directory, 'a.key');
    const named: boolean[] = [];
    makeOnce(file, 'first', () => named.push(existsSync(file)));
    expect(named).toEqual([false, true]);
  });

  it.skipIf(process.geteuid?.() !== 0)('is for the user of its directory when root makes it', () => {
    chownSync(directory, 12_345, 12_346);
    makeOnce(join(directory, 'a.key'), 'x');
    expect(statSync(join(directory, 'a.key'))).toMatchObject({ uid: 12_345, gid: 12_346 });
  });
});
