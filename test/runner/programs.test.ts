// Programs that the tests need: on PATH, or named by the environment. A missing one is an error with a remedy.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bringProgram } from './programs.ts';

let bin: string;
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'lictor-programs-'));
});
afterAll(() => {
  rmSync(bin, { recursive: true, force: true });
});

it('does nothing for what is there, or what the environment names', async () => {
  writeFileSync(join(bin, 'openssl'), '');
  chmodSync(join(bin, 'openssl'), 0o755);
  const progress: string[] = [];
  await bringProgram('openssl', { PATH: bin }, (line) => progress.push(line));
  await bringProgram('browser', { PATH: bin, LICTOR_CHROMIUM: '/opt/browser' }, (line) => progress.push(line));
  expect(progress).toEqual([]);
});

it('finds no Redis on an empty PATH, and then says what to install', async () => {
  await expect(bringProgram('redis', { PATH: bin }, () => undefined)).rejects.toThrow(/apt-get install redis-server/);
  writeFileSync(join(bin, 'redis-server'), '');
  await bringProgram('redis', { PATH: bin }, () => undefined);
});

it('says what to install when it cannot bring it', async () => {
  await expect(bringProgram('browser', { PATH: bin }, () => undefined)).rejects.toThrow(/apt-get install chromium-headless-shell fonts-dejavu-core/);
});
