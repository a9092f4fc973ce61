// Prefect servers die under load and a running flow: one is not felt, all are 503 for as long as they are away, and everything goes on.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { downFile } from '../../../src/config/down-file.ts';
import { statePaths } from '../../../src/config/state-dir.ts';
import type { Gateway } from '../../env/gateway.ts';
import { watchLateness, watchWaiting } from '../../env/lateness.ts';
import { field, list } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';
import { type Load, startLoad } from './load.ts';
import { type Room, runThrough } from './room.ts';

const LOOPS = 4;

/** A request that began longer before was not in hand any more. */
const HANDS_MS = 30_000;

interface Death {
  readonly killedAt: number;
  /** When the process was seen to have ended, on `performance.now()`. */
  readonly deadAt: number;
}
const TASKS = 40;

export function failoverTests(room: () => Room, behind: () => Gateway): void {
  const tokens = async () => ({
    starter: (await behind().token('runs-starter', ['operator'])).secret,
    reader: (await behind().token('load', ['viewer'])).secret,
  });
  let secrets: Awaited<ReturnType<typeof tokens>>;

  const isOut = (index: 0 | 1): boolean => {
    const { stateDir } = behind();
    return existsSync(downFile(statePaths(stateDir, join(stateDir, 'run')), room().servers.urls[index]));
  };
  const outAndBack = {
    out: (index: 0 | 1) => waitFor(() => isOut(index), { what: `server ${index} to be out`, timeoutMs: 30_000 }),
    back: (index: 0 | 1) => waitFor(() => !isOut(index), { what: `server ${index} to be back`, timeoutMs: 60_000 }),
  };
  /** A flow of many tasks on a worker; resolves when some of them are done. */
  const underway = async (worker: number): Promise<string> => {
    const { deployments, workers, direct } = room();
    const run = await runThrough(behind(), secrets.starter, deployments[workers[worker]?.name ?? '']?.steady ?? '', { count: TASKS, seconds: 0.2 });
    await waitFor(async () => ((await direct(1).taskRunStates(run))['COMPLETED'] ?? 0) >= 5, {
      what: 'the flow to be underway',
      timeoutMs: 120_000,
      everyMs: 250,
    });
    return run;
  };
  /** Events that Prefect had marked as seen and not written yet when it was killed: it takes them from nobody again, however often its client sends them. */
  const lostByPrefect = async (alive: 0 | 1): Promise<number> => {
    const begun = await room().servers.begunEvents();
    const stored = new Set<unknown>();
    for (let start = 0; start < begun.length; start += 50) {
      const filter = { id: { id: begun.slice(start, start + 50) } };
      for (const event of list(field(await room().direct(alive).post('/events/filter', { filter, limit: 50 }), 'events'))) stored.add(field(event, 'id'));
    }
    return begun.filter((id) => !stored.has(id)).length;
  };
  const expectWhole = async (run: string, alive: 0 | 1): Promise<void> => {
    const direct = () => room().direct(alive);
    expect(await direct().awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 150_000)).toBe('COMPLETED');
    const completed = async (): Promise<number> => (await direct().taskRunStates(run))['COMPLETED'] ?? 0;
    await waitFor(async () => (await completed()) === TASKS, { what: `${TASKS} completed tasks`, timeoutMs: 60_000 }).catch(() => undefined);
    const missing = TASKS - (await completed());
    expect(missing).toBeLessThanOrEqual(missing === 0 ? 0 : await lostByPrefect(alive));
  };
  const nginxPids = () => [behind().pids().nginx, behind().pids().workers];

  it('one is killed under load and a running flow: the run completes, only what it had in hand fails, nginx is not touched', async () => {
    const { servers } = room();
    secrets = await tokens();
    const before = nginxPids();
    const run = await underway(0);
    const load = startLoad({ gateway: behind(), token: secrets.reader, loops: LOOPS });
    try {
      await load.more(40);
      const [lateness, waiting] = [watchLateness(), watchWaiting(behind().pids().control)];
      const killedAt = performance.now();
      await servers.kill(0);
      const deaths = [{ killedAt, deadAt: performance.now() }];
      await outAndBack.out(0);
      // What a busy machine is late by is not the gateway's.
      expect(performance.now() - killedAt).toBeLessThan(2_000 + 6 * lateness() + waiting());
      await load.inHandEnded();
      const settled = load.failures().length;
      await load.more(40);
      expect(load.failures().length).toBe(settled);
      await expectWhole(run, 1).finally(() => servers.start(0));
      await outAndBack.back(0);
      expectInFlightOnly(load, deaths);
      // It really serves again: the other one is away now.
      const secondKilledAt = performance.now();
      await servers.kill(1);
      deaths.push({ killedAt: secondKilledAt, deadAt: performance.now() });
      await outAndBack.out(1);
      await load.more(40);
      expectInFlightOnly(load, deaths);
    } finally {
      await load.stop();
    }
    expect(nginxPids()).toEqual(before);
  }, 400_000);

  it('all are killed: 503 with Retry-After at once, workers live; when they are back, everything goes on', async () => {
    const { servers, workers, deployments, direct } = room();
    await servers.start(1);
    await outAndBack.back(1);
    const before = nginxPids();
    const run = await underway(1);
    await Promise.all([servers.kill(0), servers.kill(1)]);
    await Promise.all([outAndBack.out(0), outAndBack.out(1)]);
    const load = startLoad({
      gateway: behind(),
      token: secrets.reader,
      loops: 1,
      mediated: secrets.starter,
      deployment: deployments[workers[0]?.name ?? '']?.mapped ?? '',
    });
    await load.more(20);
    await load.stop();
    expect(load.succeeded()).toBe(0);
    expect(new Set(load.failures().map(({ status, code, retryAfter, maintenance }) => [status, code, retryAfter, maintenance].join()))).toEqual(
      new Set(['503,upstream-unavailable,true,true']),
    );
    expect((await behind().fetch('/.lictor/health')).status).toBe(200);
    expect((await behind().fetch('/.lictor/ready')).status).toBe(503);
    // Each has asked for runs in vain, more than once.
    await waitFor(() => workers.every(({ pool }) => vainPolls(behind(), pool) >= 2), { what: 'every worker to ask in vain', timeoutMs: 60_000, everyMs: 250 });
    expect(workers.map((worker) => worker.running())).toEqual([true, true]);
    await Promise.all([servers.start(0), servers.start(1)]);
    await Promise.all([outAndBack.back(0), outAndBack.back(1)]);
    await expectWhole(run, 0);
    expect(workers.map((worker) => worker.running())).toEqual([true, true]);
    const next = await runThrough(behind(), secrets.starter, deployments[workers[0]?.name ?? '']?.mapped ?? '');
    expect(await direct().awaitRunState(next, ['COMPLETED', 'FAILED', 'CRASHED'], 150_000)).toBe('COMPLETED');
    expect(nginxPids()).toEqual(before);
  }, 500_000);

  it('one hangs: it is out while the other one answers, nobody else waits for it, and what it has in hand ends', async () => {
    const { servers } = room();
    const before = nginxPids();
    const ask = async () => {
      const response = await behind().fetch('/api/admin/version', { token: secrets.reader, signal: AbortSignal.timeout(120_000) });
      return [response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')].join();
    };
    servers.freeze(0);
    try {
      const frozenAt = performance.now();
      const [lateness, waiting] = [watchLateness(), watchWaiting(behind().pids().control)];
      const inHand = Array.from({ length: 8 }, ask);
      await outAndBack.out(0);
      expect(performance.now() - frozenAt).toBeLessThan(4_000 + 6 * lateness() + waiting());
      const load = startLoad({ gateway: behind(), token: secrets.reader, loops: LOOPS });
      await load.more(40);
      await load.stop();
      expect(load.failures()).toEqual([]);
      servers.thaw(0);
      // Late, or given up by the gateway before that.
      const ends = new Set(await Promise.all(inHand));
      expect([...ends].filter((end) => end !== '200,,' && end !== '503,2,')).toEqual([]);
      await outAndBack.back(0);
    } finally {
      servers.thaw(0);
    }
    expect(nginxPids()).toEqual(before);
  }, 300_000);
}

/** How often a worker's poll was answered with 503. */
function vainPolls({ stateDir }: Gateway, pool: string): number {
  const lines = readFileSync(join(stateDir, 'log', 'access.log'), 'latin1').split('\n');
  return lines.filter((line) => line.includes(`/api/work_pools/${pool}/get_scheduled_flow_runs"`) && line.includes('"status":503')).length;
}

/**
 * Only requests that began before a server was dead can fail: with 503 and no promise, or broken off. A dying process may still take a connection
 * and let it fall, so a loop may meet the same death twice.
 */
function expectInFlightOnly(load: Load, deaths: readonly Death[]): void {
  const failures = load.failures();
  expect(failures.length).toBeLessThanOrEqual(2 * LOOPS * deaths.length);
  const deadAt = deaths.map((death) => death.deadAt);
  for (const { startedMs } of failures)
    expect(
      deaths.some((death) => startedMs <= death.deadAt && startedMs > death.killedAt - HANDS_MS),
      `${startedMs} ${deadAt}`,
    ).toBe(true);
  for (const failure of failures.filter(({ status }) => status !== 0)) {
    expect(failure).toMatchObject({ status: 503, code: 'upstream-unavailable', retryAfter: true, maintenance: false });
  }
}
