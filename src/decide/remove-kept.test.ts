import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptDirs, removedDir } from '../config/kept-dir.ts';
import { removeKept } from './remove-kept.ts';

describe('what is kept of a service', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lictor-kept-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const file = (name: string): string => {
    const path = join(dir, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, 'of a service');
    return path;
  };
  const kept = (): string => join(dir, 'tmp/kept-billing');

  it('is removed, and nothing of another service; nothing is left beside', async () => {
    const [own, other] = [file('tmp/kept-billing/a/f1'), file('tmp/kept-other/a/f2')];
    await Promise.all([removeKept(kept()), removeKept(kept())]);
    expect([existsSync(own), existsSync(other), existsSync(kept())]).toEqual([false, true, true]);
    expect([readdirSync(dir), readdirSync(join(dir, 'tmp')).sort()]).toEqual([['tmp'], ['kept-billing', 'kept-other']]);
  });

  it('lies, while it is removed, where nginx may not write, and where a start looks for what a killed purge has left', () => {
    const left = removedDir(kept(), 'x');
    mkdirSync(left);
    expect([keptDirs(dir), keptDirs(join(dir, 'tmp'))]).toEqual([[left], []]);
  });

  it('is nothing where nothing was kept yet', async () => {
    await expect(removeKept(kept())).resolves.toBeUndefined();
  });

  it('is not looked for behind a link that somebody has put in its place, which is said', async () => {
    const other = file('elsewhere/a/f');
    mkdirSync(join(dir, 'tmp'));
    symlinkSync(join(dir, 'elsewhere'), kept());
    await expect(removeKept(kept())).rejects.toThrowError(/ENOTDIR|ELOOP/);
    expect(readFileSync(other, 'utf8')).toBe('of a service');
  });

  it('is not looked for in what stands beside it under the name of a sweep, nor behind links in it', async () => {
    const others = [file('elsewhere/a/f'), file('further/a/f')];
    const own = file('tmp/kept-billing/a/f1');
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'tmp/kept-billing.swept-1-x'));
    symlinkSync(join(dir, 'further'), join(kept(), 'b'));
    symlinkSync(join(dir, 'further/a'), join(kept(), 'a/c'));
    await removeKept(kept());
    expect(existsSync(own)).toBe(false);
    expect(others.map((path) => readFileSync(path, 'utf8'))).toEqual(['of a service', 'of a service']);
    expect(readdirSync(kept())).toEqual([]);
  });
});
