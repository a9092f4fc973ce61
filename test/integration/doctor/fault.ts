// What a planted fault is: how it comes about, and exactly which checks of `lictor doctor` must say FAIL because of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { statePaths } from '../../../src/config/state-dir.ts';
import type { Gateway } from '../../env/gateway.ts';
import { type ProxyOptions, startProxy } from '../../env/proxy.ts';
import type { Recorder } from '../../env/upstream-recorder.ts';
import { diagnose, failing, lookFor, type Planted } from './room.ts';

export interface Room {
  readonly gateway: Gateway;
  /** A server that is not Prefect, or a Prefect with the answers of a fault. */
  readonly recorder: Recorder;
  /** A directory to throw away. */
  readonly spare: string;
}

export interface Planting extends Planted {
  /** Makes everything as it was. */
  readonly undo?: () => void | Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** `group/check` of every line that must say FAIL; no other line may. */
  readonly fails: readonly string[];
  /** What suffers from it as well, by chance. */
  readonly mayFail?: readonly string[];
  /** What one of them says. */
  readonly says: RegExp;
  readonly plant: (room: Room) => Planting | Promise<Planting>;
}

export const SOCKETS: readonly string[] = ['events/in', 'events/out', 'logs/out', 'task_runs/subscriptions/scheduled', 'work_pools/workers/connect'].map(
  (name) => `sockets/${name}`,
);

/** Plants it, lets doctor look, and makes all as it was. */
export async function expectExactly(room: Room, { plant, fails, mayFail = [], says }: Fault): Promise<void> {
  const { undo, ...planted } = await plant(room);
  const found = await lookFor([fails, mayFail], () => diagnose(room.gateway, planted)).finally(async () => {
    await undo?.();
    room.recorder.answerWith(undefined);
  });
  expect(failing(found, mayFail), found.failures.join('\n')).toEqual([...fails].sort());
  expect(found.failures.join('\n')).toMatch(says);
  for (const { message, remedy, status } of found.lines) if (status === 'fail') expect(remedy ?? '', message).toMatch(/\w+ \w+/);
  expect(found).toMatchObject({ exit: 1, ok: false });
  expect(found.output).not.toMatch(SECRETS);
}

/** The password of Prefect, those that faults make up, and any token. */
const SECRETS = /no-such-password|right-password|only-the-gateway|gateway:[0-9a-f]{16}|lct_/;

/** A proxy stands at public_url; `to` is the gateway unless another address is given. */
export async function between({ gateway }: Room, options: Partial<ProxyOptions>): Promise<Planting> {
  const proxy = await startProxy({ to: gateway.url, ...options });
  return { config: { public_url: proxy.url, listen: `127.0.0.1:${gateway.port}` }, undo: proxy.close };
}

/** prefect.url leads to another server. */
export function prefectAt(url: string, more: Readonly<Record<string, unknown>> = {}): Planting {
  return { config: { prefect: { url, ...more } } };
}

export function secretFile({ spare }: Room, name: string, text: string): string {
  const file = join(spare, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** The places of the running gateway. */
export function placesOf({ gateway }: Room) {
  return statePaths(gateway.stateDir, join(gateway.stateDir, 'run'));
}
