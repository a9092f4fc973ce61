// One of three servers of a service is killed under load, with health checks of the control plane or only with nginx's.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { downFile } from '../../../src/config/down-file.ts';
import { statePaths } from '../../../src/config/state-dir.ts';
import type { Gateway } from '../../env/gateway.ts';
import { watchLateness, watchWaiting } from '../../env/lateness.ts';
import { waitFor } from '../../env/process.ts';
import type { ServiceProcess } from '../../env/service-process.ts';

export interface KilledRoom {
  readonly gateway: Gateway;
  readonly token: string;
  /** Of the services `three`, which has health, and `three-plain`, which has none. */
  readonly servers: readonly ServiceProcess[];
}

interface Call {
  readonly method: string;
  readonly service: string;
  /** 0: the answer broke off. */
  readonly status: number;
  /** Who answered, or how it broke off. */
  readonly server: string;
}

/** Two loops read each of the services, and one writes: at most one call that must not be made again is under way. */
const LOOPS = [
  ['GET', 'three'],
  ['GET', 'three'],
  ['GET', 'three-plain'],
  ['GET', 'three-plain'],
  ['POST', 'three'],
] as const;

export function killedTests(room: () => KilledRoom): void {
  it('fails at most one call that must not be repeated, gets none within two seconds, and some when it is back; no worker of nginx is replaced', async () => {
    const { gateway, servers } = room();
    const [, victim] = servers;
    if (victim === undefined) throw new Error('no servers');
    const { stateDir } = gateway;
    const isOut = () => existsSync(downFile(statePaths(stateDir, join(stateDir, 'run')), `three ${victim.url}`));
    const workers = gateway.pids().workers;
    expect(workers.length).toBeGreaterThan(0);
    const load = startLoad(room());
    try {
      await load.until(() => servers.every(({ name }) => answeredBy(load.calls, name, 'three') > 10 && answeredBy(load.calls, name, 'three-plain') > 10));
      const [lateness, waiting] = [watchLateness(), watchWaiting(gateway.pids().control)];
      const killedAt = performance.now();
      await victim.kill();
      await waitFor(isOut, { what: 'the server to be out', timeoutMs: 30_000, everyMs: 20 });
      // What a busy machine is late by is not the gateway's.
      expect(performance.now() - killedAt).toBeLessThan(2_000 + 6 * lateness() + waiting());
      // What was on its way when the mark was made has ended; after that nobody tries it.
      await load.inHandEnded();
      // Its lines are written by then.
      await load.more(50);
      const tries = triesAt(gateway, victim, 'three');
      await load.more(150);
      expect(tries).toBeGreaterThan(0);
      expect(triesAt(gateway, victim, 'three')).toBe(tries);
      const failed = load.calls.filter(({ status }) => status !== 200);
      expect(
        failed.map(({ method }) => method),
        JSON.stringify(failed),
      ).toEqual(failed.length === 0 ? [] : ['POST']);
      const before = load.calls.length;
      await victim.resume();
      const after = () => load.calls.slice(before);
      await load.until(() => ['three', 'three-plain'].every((service) => answeredBy(after(), victim.name, service) > 10));
      expect(after().filter(({ status }) => status !== 200)).toEqual([]);
    } finally {
      await load.stop();
    }
    expect(gateway.pids().workers).toEqual(workers);
  }, 120_000);
}

function answeredBy(calls: readonly Call[], server: string, service: string): number {
  return calls.filter((call) => call.server === server && call.service === service).length;
}

/** How often the service proxy got no answer there, by the log of the control plane. */
function triesAt({ stateDir }: Gateway, { port }: ServiceProcess, service: string): number {
  const lines = readFileSync(join(stateDir, 'log', 'control.log'), 'utf8').split('\n');
  return lines.filter((line) => line.includes(`"service":"${service}"`) && line.includes(`"server":"127.0.0.1:${port}"`)).length;
}

interface Load {
  readonly calls: readonly Call[];
  until(condition: () => boolean): Promise<void>;
  /** So many calls more. */
  more(count: number): Promise<void>;
  /** Whatever is on its way now has ended: however many calls others make, one of them may be late. */
  inHandEnded(): Promise<void>;
  stop(): Promise<void>;
}

function startLoad({ gateway, token }: KilledRoom): Load {
  const calls: Call[] = [];
  let going = true;
  const ask = async (method: string, service: string): Promise<Pick<Call, 'status' | 'server'>> => {
    const response = await gateway.fetch(`/.lictor/svc/${service}/x`, { method, token, ...(method === 'POST' && { body: 'x' }) });
    return { status: response.status, server: await response.text() };
  };
  const turns = LOOPS.map(() => 0);
  const loops = LOOPS.map(async ([method, service], place) => {
    for (; going; turns[place] = (turns[place] ?? 0) + 1) {
      calls.push({ method, service, ...(await ask(method, service).catch((error: unknown) => ({ status: 0, server: String(error) }))) });
    }
  });
  const until = async (condition: () => boolean): Promise<void> => void (await waitFor(condition, { what: 'the load', timeoutMs: 60_000 }));
  return {
    calls,
    until,
    more: (count) => {
      const target = calls.length + count;
      return until(() => calls.length >= target);
    },
    inHandEnded: () => {
      const before = [...turns];
      return until(() => turns.every((turn, place) => turn > (before[place] ?? 0)));
    },
    stop: async () => {
      going = false;
      await Promise.all(loops);
    },
  };
}
