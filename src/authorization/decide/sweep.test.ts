import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import { removeLeftBehind, sweepDecisions, sweepOnce } from './sweep.ts';

describe('the sweep', () => {
  const dir = makeMemoryDir('lictor-sweep-');
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const cached = (name: string): string => {
    const file = join(dir, 'cache', name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, 'x');
    return file;
  };

  it('throws every cached decision away and leaves nothing beside', async () => {
    const files = [cached('a/01/f1'), cached('b/02/f2')];
    await sweepOnce(join(dir, 'cache'));
    expect(files.map((file) => existsSync(file))).toEqual([false, false]);
    expect(readdirSync(dir)).toEqual(['cache']);
  });
  it('catches an answer that was written just after the first round', async () => {
    cached('a/01/f1');
    let wasWritten = false;
    setTimeout(() => {
      cached('c/03/late');
      wasWritten = true;
    }, 20);
    await sweepDecisions(join(dir, 'cache'));
    expect([wasWritten, ...readdirSync(join(dir, 'cache'))]).toEqual([true]);
  });
  it('catches answers that are written before each further round: 5, 50 and 500 ms after the first', async () => {
    const pauses: number[] = [];
    await sweepDecisions(join(dir, 'cache'), async (ms) => {
      pauses.push(ms);
      cached(`a/01/after-${ms}`);
    });
    expect(pauses).toEqual([5, 45, 450]);
    expect(readdirSync(join(dir, 'cache'))).toEqual([]);
  });
  it('takes a cache that is not there for an empty one', async () => {
    await expect(sweepOnce(join(dir, 'nowhere'))).resolves.toBeUndefined();
  });
  it('does not lose a race against another sweep', async () => {
    for (let i = 0; i < 16; i += 1) cached(`${i.toString(16)}/01/f`);
    await Promise.all([sweepOnce(join(dir, 'cache')), sweepOnce(join(dir, 'cache'))]);
    expect(readdirSync(join(dir, 'cache'))).toEqual([]);
  });
  it('neither fails nor forgets anything while others sweep all the time', async () => {
    const cache = join(dir, 'cache');
    const sweepAgain = async (name: string): Promise<void> => {
      for (let i = 0; i < 150; i += 1) {
        const file = join(cache, name, `f${i}`);
        // Another sweep may take the directory away between these two, as it may from nginx.
        mkdirSync(join(file, '..'), { recursive: true });
        await writeFile(file, 'x').catch(() => undefined);
        await sweepOnce(cache);
        expect(existsSync(file)).toBe(false);
      }
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(sweepAgain));
    expect(readdirSync(dir)).toEqual(['cache']);
  });
  it('takes away what a sweep left behind whose process was killed, and nothing of a living one', async () => {
    cached('a/01/f');
    const [dead, alive] = [`cache.swept-${await endedPid()}-1`, `cache.swept-${process.pid}-1`];
    for (const name of [dead, alive]) mkdirSync(join(dir, name, 'a'), { recursive: true });
    expect(await removeLeftBehind(join(dir, 'cache'))).toEqual([]);
    expect(readdirSync(dir).sort()).toEqual(['cache', alive]);
  });
  it("names what of another user's sweep it must leave, and takes the rest away", async () => {
    const pid = await endedPid();
    const [foreign, own] = [join(dir, `cache.swept-${pid}-1`), join(dir, `cache.swept-${pid}-2`)];
    for (const path of [foreign, own]) mkdirSync(path, { recursive: true });
    const failing = (code: string) => async (path: string) => {
      if (path === foreign) throw Object.assign(new Error(code), { code });
      rmSync(path, { recursive: true });
    };
    expect(await removeLeftBehind(join(dir, 'cache'), failing('EACCES'))).toEqual([foreign]);
    expect(readdirSync(dir)).toEqual([`cache.swept-${pid}-1`]);
    await expect(removeLeftBehind(join(dir, 'cache'), failing('EIO'))).rejects.toThrow('EIO');
  });
});

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'close');
  return child.pid ?? 0;
}
