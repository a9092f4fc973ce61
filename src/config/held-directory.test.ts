import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdDirectory, removeTree } from './held-directory.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-held-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string): string => {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'x');
  return path;
};

describe('a held directory', () => {
  it('is worked on, whatever is put in its place meanwhile', async () => {
    for (const name of ['own/a', 'others/b']) file(name);
    const seen = await holdDirectory(join(dir, 'own'), async (held) => {
      renameSync(join(dir, 'own'), join(dir, 'moved'));
      symlinkSync(join(dir, 'others'), join(dir, 'own'));
      return readdir(held);
    });
    expect(seen).toEqual(['a']);
  });

  it.each(['link', 'file', 'nothing'])('is not one where there is a %s', async (what) => {
    file('others/b');
    if (what === 'link') symlinkSync(join(dir, 'others'), join(dir, what));
    if (what === 'file') file(what);
    await expect(holdDirectory(join(dir, what), (held) => readdir(held))).rejects.toThrow(/ENOTDIR|ELOOP|ENOENT/);
  });
});

describe('a tree that is removed', () => {
  it('is gone with all that is in it, and what is not there is gone already', async () => {
    for (const name of ['tree/f', 'tree/a/f', 'tree/a/b/c/f']) file(name);
    await Promise.all([removeTree(join(dir, 'tree')), removeTree(join(dir, 'nothing'))]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('takes links along and nothing behind them, itself one or not', async () => {
    const other = file('others/f');
    file('tree/a/f');
    for (const name of ['tree/link', 'tree/a/link', 'link']) symlinkSync(join(dir, 'others'), join(dir, name));
    await removeTree(join(dir, 'tree'));
    await removeTree(join(dir, 'link'));
    expect([readdirSync(dir), existsSync(other)]).toEqual([['others'], true]);
  });

  it('takes nothing behind a link that an attacker puts in the place of a directory again and again', async () => {
    const others = Array.from({ length: 200 }, (_, n) => file(`others/f${n}`));
    for (let round = 0; round < 20; round += 1) {
      for (let n = 0; n < 40; n += 1) file(`tree/a/b/f${n}`);
      symlinkSync(join(dir, 'others'), join(dir, 'tree/a/link'));
      let isOver = false;
      const swapping = swap(() => isOver);
      await removeTree(join(dir, 'tree')).catch(() => undefined);
      isOver = true;
      await swapping;
      rmSync(join(dir, 'tree'), { recursive: true, force: true });
    }
    expect(others.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('is left where it has more levels than it may have, and that is said', async () => {
    const deep = file('tree/1/2/3/4/5/6/7/8/f');
    await expect(removeTree(join(dir, 'tree'))).rejects.toThrow(/levels/);
    expect(existsSync(deep)).toBe(true);
  });
});

/** The directory and the link change their names, as often as there is time. */
async function swap(isOver: () => boolean): Promise<void> {
  const [directory, link, between] = ['tree/a/b', 'tree/a/link', 'tree/a/between'].map((name) => join(dir, name)) as [string, string, string];
  while (!isOver()) {
    try {
      renameSync(directory, between);
      renameSync(link, directory);
      renameSync(between, link);
    } catch {
      // It is gone already.
    }
    await new Promise(setImmediate);
  }
}
