import { linkSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invalidate } from './invalidate.ts';
import { sweepDecisions, sweepOnce } from './sweep.ts';

const DECISION = 'version5 and what was decided';
const INVALID = `${'\xff'.repeat(8)}${DECISION.slice(8)}`;

describe('invalidating cached decisions', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lictor-invalidate-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const decision = (name: string): string => {
    const file = join(dir, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, DECISION);
    return file;
  };
  const contentOf = (file: string): string => readFileSync(file, 'latin1');

  it('writes over the version of each in its place, and over nothing else', async () => {
    const files = ['swept/a/f1', 'swept/a/f2', 'swept/f/f3'].map(decision);
    const outside = decision('elsewhere/a/f4');
    await invalidate(join(dir, 'swept'));
    expect(files.map(contentOf)).toEqual([INVALID, INVALID, INVALID]);
    expect(contentOf(outside)).toBe(DECISION);
  });

  it('follows no link, to a file or to a directory, and leaves alone what has another name', async () => {
    const others = ['others/linked', 'others/hard', 'others/below/inside'].map(decision);
    const own = decision('swept/a/own');
    symlinkSync(join(dir, 'others/linked'), join(dir, 'swept/a/link'));
    linkSync(join(dir, 'others/hard'), join(dir, 'swept/a/hard'));
    symlinkSync(join(dir, 'others/below'), join(dir, 'swept/b'));
    await invalidate(join(dir, 'swept'));
    expect(contentOf(own)).toBe(INVALID);
    expect(others.map(contentOf)).toEqual([DECISION, DECISION, DECISION]);
  });

  it('does not open what became a link after it was looked at', async () => {
    const other = decision('others/linked');
    const file = decision('swept/a/f1');
    const swapped: typeof openSync = (path, ...rest) => {
      rmSync(file);
      symlinkSync(other, file);
      return openSync(path, ...rest);
    };
    await expect(invalidate(join(dir, 'swept'), swapped)).rejects.toThrowError(/ELOOP/);
    expect(contentOf(other)).toBe(DECISION);
  });

  it('goes on after one that fails, and says so in the end', async () => {
    const files = ['swept/a/f1', 'swept/a/f2', 'swept/a/f3', 'swept/b/f4'].map(decision);
    const failing: typeof openSync = (path, ...rest) => {
      if (path === files[1]) throw new Error('EIO: planted');
      return openSync(path, ...rest);
    };
    await expect(invalidate(join(dir, 'swept'), failing)).rejects.toThrowError(/^1 cached decisions could not be invalidated: Error: EIO: planted$/);
    expect(files.map(contentOf)).toEqual([INVALID, DECISION, INVALID, INVALID]);
  });

  it('treats a removed file as invalid', async () => {
    await expect(invalidate(join(dir, 'nowhere'))).resolves.toBeUndefined();
  });
});

describe('a sweep, for a process with an open file', () => {
  let dir: string;
  let cache: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lictor-sweep-open-'));
    cache = join(dir, 'decisions');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** What is read from a file that was opened before `sweep`. */
  const readAfter = async (file: string, sweep: () => Promise<void>): Promise<string> => {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, DECISION);
    const opened = await open(file, 'r');
    try {
      await sweep();
      return await opened.readFile('latin1');
    } finally {
      await opened.close();
    }
  };

  it('leaves no decision in it', async () => {
    expect(await readAfter(join(cache, 'a/f'), () => sweepOnce(cache))).toBe(INVALID);
    expect(await readAfter(join(cache, 'a/f'), () => sweepDecisions(cache))).toBe(INVALID);
  });

  it('leaves no valid file in what another sweep has taken away and not yet invalidated, or never will', async () => {
    for (const pid of [process.pid, 999_999_999]) expect(await readAfter(`${cache}.swept-${pid}-other/a/f`, () => sweepOnce(cache))).toBe(INVALID);
  });
});
