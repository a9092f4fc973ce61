// A flood of upgrades without a credential, each of which leaves at once: short in the tests, long in endurance.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { start, waitFor } from '../../env/process.ts';
import { authFrame, type OpenSocket, openSocket } from '../../env/socket.ts';
import type { Harness } from './harness.ts';

const FLOOD = join(import.meta.dirname, '../../env/upgrade-flood.ts');
const PATH = '/api/events/in';
const ROUNDS = 5;

export interface UpgradeFlood {
  readonly perSecond: number;
  readonly addresses: number;
  /** What the socket of a client may take until it is authenticated. */
  readonly withinMs: number;
  /** So many of its upgrades are over before anybody else comes. */
  readonly ahead: number;
}

/** Clients of both kinds open sockets from the flood's first address, during the flood and after it. Answers what was seen, for the reader. */
export async function floodWithUpgrades(harness: Harness, { perSecond, addresses, withinMs, ahead }: UpgradeFlood): Promise<string> {
  const { supervisor, control, workers } = harness.gateway.pids();
  const before = upgradesSeen(harness);
  const args = [FLOOD, harness.gateway.port, PATH, perSecond, addresses, 'prefect'].map(String);
  const flood = await start({ name: 'a flood of upgrades', command: process.execPath, args, env: process.env });
  const times: number[] = [];
  const most = { supervisor: 0, 'control plane': 0, 'nginx worker': 0 };
  const look = (name: keyof typeof most, pid: number): void => {
    most[name] = Math.max(most[name], descriptors(pid));
    expect(most[name], `descriptors of the ${name}`).toBeLessThan(3000);
  };
  try {
    await waitFor(() => upgradesSeen(harness) - before >= ahead, { what: `${ahead} upgrades of the flood`, timeoutMs: 120_000 });
    for (let round = 0; round < ROUNDS; round += 1) {
      times.push(...(await openBoth(harness)));
      look('supervisor', supervisor);
      look('control plane', control);
      for (const worker of workers) look('nginx worker', worker);
    }
  } finally {
    flood.signal('SIGTERM');
    await flood.exited;
  }
  times.push(...(await openBoth(harness)));
  expect(Math.max(...times), `${times.map(Math.round)} ms; ${flood.output()}`).toBeLessThan(withinMs);
  return `the slowest socket took ${Math.round(Math.max(...times))} ms; most descriptors: ${JSON.stringify(most)}; the flood ${flood.output().trim()}`;
}

/** One by header, one by its first frame alone: as long as each took. */
async function openBoth(harness: Harness): Promise<readonly number[]> {
  const { url } = harness.gateway;
  const headers = { authorization: `Bearer ${harness.admin}` };
  return await Promise.all([
    authenticated(() => openSocket(url, PATH, { headers, first: authFrame(null) })),
    authenticated(() => openSocket(url, PATH, { first: authFrame(harness.admin) })),
  ]);
}

async function authenticated(open: () => OpenSocket): Promise<number> {
  const began = performance.now();
  const socket = open();
  const first = await Promise.race([socket.ended, greeted(socket)]);
  expect(first).toBe('greeted');
  socket.close();
  return performance.now() - began;
}

async function greeted(socket: OpenSocket): Promise<'greeted'> {
  await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'auth_success', everyMs: 5, timeoutMs: 30_000 });
  return 'greeted';
}

function upgradesSeen({ gateway }: Harness): number {
  return readFileSync(join(gateway.stateDir, 'log', 'access.log'), 'latin1').split(`"path":"${PATH}"`).length - 1;
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
