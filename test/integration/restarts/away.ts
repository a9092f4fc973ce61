// The control plane is away for a time, while a worker polls and callers ask.
import { expect } from 'vitest';
import type { StockClient } from '../../env/client.ts';
import type { Gateway } from '../../env/gateway.ts';
import type { Direct } from '../../env/prefect.ts';
import { signalProcess, waitFor } from '../../env/process.ts';

export interface AwayParts {
  readonly gateway: Gateway;
  /** Of a worker. It polls every two seconds. */
  readonly client: StockClient;
  readonly server: Direct;
  readonly awayMs: number;
}

/** Decided callers are served, others get 503 with Retry-After and Prefect-Maintenance, and the worker lives. */
export async function controlPlaneAway({ gateway, client, server, awayMs }: AwayParts): Promise<void> {
  const decided = (await gateway.token('decided', ['viewer'])).secret;
  const other = (await gateway.token('other', ['viewer'])).secret;
  const pool = `away-${Date.now().toString(36)}`;
  await server.post('/work_pools/', { name: pool, type: 'process' });
  const worker = await client.startPrefect(['worker', 'start', '--pool', pool, '--type', 'process']);
  await waitFor(() => worker.output().includes('started!') || !worker.running(), { what: 'the worker to start', timeoutMs: 90_000 });
  expect(worker.running(), worker.output()).toBe(true);
  const { supervisor, control } = gateway.pids();
  const ask = (token: string) => gateway.fetch(`/api/work_pools/${pool}`, { token });
  expect((await ask(decided)).status).toBe(200);
  signalProcess(supervisor, 'SIGSTOP');
  signalProcess(control, 'SIGKILL');
  try {
    const until = performance.now() + awayMs;
    const statuses = new Set<number>();
    const refused = new Set<string>();
    await waitFor(
      async () => {
        statuses.add((await ask(decided)).status);
        const answer = await ask(other);
        refused.add(`${answer.status} ${/^\d+$/.test(answer.headers.get('retry-after') ?? '')} ${answer.headers.get('prefect-maintenance')}`);
        return performance.now() > until;
      },
      { what: `${awayMs} ms to pass`, timeoutMs: 2 * awayMs + 20_000, everyMs: 200 },
    );
    expect([...statuses]).toEqual([200]);
    expect([...refused]).toEqual(['503 true true']);
    expect(worker.running(), worker.output()).toBe(true);
  } finally {
    signalProcess(supervisor, 'SIGCONT');
  }
  await waitFor(() => gateway.isReady(), { what: 'the gateway to be ready again', timeoutMs: 90_000 });
  expect((await ask(other)).status).toBe(200);
  expect(worker.running(), worker.output()).toBe(true);
  await worker.stop();
}
