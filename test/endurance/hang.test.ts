// FL-01 in figures: what a control plane that hangs costs those who ask meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { signalProcess } from '../env/process.ts';
import { useHarness } from '../integration/attacks/harness.ts';

const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });

interface Asked {
  /** Since the control plane was stopped. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly status: number;
}

it('FL-01: only requests of the first seconds wait, the others fail at once, and the next control plane is up soon', async () => {
  const { control } = harness.gateway.pids();
  signalProcess(control, 'SIGSTOP');
  const began = performance.now();
  const asked: Asked[] = [];
  const ask = async (): Promise<void> => {
    const atMs = performance.now() - began;
    // Not decided before: no cached decision serves it.
    const { status } = await harness.gateway.fetch(`/api/work_pools/pool-${asked.length}-${atMs}`, { token: harness.viewer });
    asked.push({ atMs, tookMs: performance.now() - began - atMs, status });
  };
  const asking: Promise<void>[] = [];
  while (!asked.some(({ status }) => status === 200) && performance.now() - began < 60_000) {
    asking.push(ask());
    await delay(100);
  }
  await Promise.all(asking);
  const longest = (some: readonly Asked[]): number => Math.round(Math.max(...some.map(({ tookMs }) => tookMs)));
  const [early, late] = [asked.filter(({ atMs }) => atMs < 3000), asked.filter(({ atMs, status }) => atMs >= 3000 && status !== 200)];
  const backMs = Math.round(Math.min(...asked.filter(({ status }) => status === 200).map(({ atMs }) => atMs)));
  process.stdout.write(`FL-01: asked in the first 3 s: at most ${longest(early)} ms; later: at most ${longest(late)} ms; decided again after ${backMs} ms\n`);
  expect([...new Set(asked.map(({ status }) => status))].sort()).toEqual([200, 503]);
  expect(longest(early)).toBeLessThan(6000);
  expect(longest(late)).toBeLessThan(1000);
  expect(backMs).toBeLessThan(20_000);
}, 120_000);
