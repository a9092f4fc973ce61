import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downFile } from '../../config/down-file.ts';
import { statePaths } from '../../config/state-dir.ts';
import type { Health, ServersHealth } from '../../prefect/client/health.ts';
import { startBalancer } from './balancer.ts';

const [A, B] = ['http://a:4200', 'http://b:4200'];
const log = { info: () => undefined, warn: () => undefined };
let home: string;
let started: ServersHealth[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lictor-balancer-'));
  mkdirSync(paths().memberSockets, { recursive: true });
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((balancer) => balancer.stop()));
  rmSync(home, { recursive: true, force: true });
});

function paths() {
  return statePaths(home, join(home, 'run'));
}

function balance(answers: Record<string, Health>): ServersHealth {
  const balancer = startBalancer({ paths: paths(), servers: [A, B], probe: async (server) => answers[server] ?? 'away', log, intervalMs: 5 });
  started.push(balancer);
  return balancer;
}

const marks = () => [A, B].map((server) => existsSync(downFile(paths(), server)));

it('marks a server that is away, and takes the mark off when it is back', async () => {
  const answers: Record<string, Health> = { [A]: 'usable', [B]: 'away' };
  const balancer = balance(answers);
  await expect.poll(() => marks()).toEqual([false, true]);
  expect(balancer.usable()).toEqual([A]);
  answers[B] = 'usable';
  await expect.poll(() => marks()).toEqual([false, false]);
});

it('marks none that refuses the credential: another configuration may have the right one', async () => {
  const balancer = balance({ [A]: 'usable', [B]: 'refuses' });
  await expect.poll(() => balancer.usable()).toEqual([A]);
  expect(marks()).toEqual([false, false]);
});

it('around a reload two that watch with two credentials leave nginx a way with either', async () => {
  const former = balance({ [A]: 'refuses', [B]: 'usable' });
  const next = balance({ [A]: 'usable', [B]: 'refuses' });
  await expect.poll(() => [former.usable(), next.usable()]).toEqual([[B], [A]]);
  expect(marks()).toEqual([false, false]);
});

it('one that was found away stays out of a new configuration until it answers', async () => {
  const answers: Record<string, Health> = { [A]: 'usable', [B]: 'away' };
  balance(answers);
  await expect.poll(() => marks()).toEqual([false, true]);
  expect(balance(answers).usable()).toEqual([A]);
  expect(marks()).toEqual([false, true]);
});

it('a slow one is out only while another is usable', async () => {
  const answers: Record<string, Health> = { [A]: 'usable', [B]: 'slow' };
  balance(answers);
  await expect.poll(() => marks()).toEqual([false, true]);
  answers[A] = 'slow';
  await expect.poll(() => marks()).toEqual([false, false]);
  answers[B] = 'away';
  await expect.poll(() => marks()).toEqual([false, true]);
  answers[A] = 'away';
  await expect.poll(() => marks()).toEqual([true, true]);
});

describe("in the directory of nginx's workers", () => {
  it('replaces a link by a new mark, and writes nothing to its target', async () => {
    symlinkSync(join(home, 'elsewhere'), downFile(paths(), B));
    balance({ [A]: 'usable', [B]: 'away' });
    await expect.poll(() => lstatSync(downFile(paths(), B)).isFile()).toBe(true);
    expect(existsSync(join(home, 'elsewhere'))).toBe(false);
  });

  it('goes on where it cannot make one', async () => {
    mkdirSync(downFile(paths(), B));
    const answers: Record<string, Health> = { [A]: 'usable', [B]: 'usable' };
    const balancer = balance(answers);
    await expect.poll(() => balancer.usable()).toEqual([A, B]);
    answers[A] = 'away';
    await expect.poll(() => balancer.usable()).toEqual([B]);
    expect(marks()).toEqual([true, true]);
  });
});
