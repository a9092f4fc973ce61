// The workers at the gateway: those with an open channel, and those that report over HTTP.
import { poolOf, type WorkerChannel } from '../../../../contract/worker-channel.ts';
import type { Traffic } from '../../../../record/metrics/traffic.ts';
import type { Health } from './schema.ts';

type Worker = Health['workers'][number];

/** Those that were seen last come first. */
export function workersOf(channels: readonly WorkerChannel[], traffic: Traffic | null): Worker[] {
  const versionOf = (principal: string): string | null => traffic?.versions[principal] ?? null;
  const connected = channels.map(
    ({ name, pool, principal, sinceMs, heardMs }): Worker => ({
      ...{ name, pool, principal, version: versionOf(principal) },
      connected_at: new Date(sinceMs).toISOString(),
      last_seen_at: new Date(heardMs).toISOString(),
    }),
  );
  const overHttp = (traffic?.heartbeats ?? []).flatMap(({ principal, path, at }): Worker[] => {
    const pool = poolOf({ path });
    const hasChannel = connected.some((worker) => worker.principal === principal && worker.pool === pool);
    return pool === undefined || hasChannel ? [] : [{ name: null, pool, principal, version: versionOf(principal), connected_at: null, last_seen_at: at }];
  });
  return [...connected, ...overHttp].toSorted((a, b) => b.last_seen_at.localeCompare(a.last_seen_at));
}
