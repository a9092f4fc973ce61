// Workers that bypass the gateway: online in Prefect, and without a record in the ledger.
import type { LedgerRecord } from '../../../contract/record.ts';
import { ok, type Verdict, warn } from '../finding.ts';
import { allWorkers, type Worker } from './all-workers.ts';
import { notReached, type UpstreamSubject } from './upstream.ts';

/** Records of `worker.*`, oldest first. */
export interface WorkerRecords {
  /** Opened channels, and names that workers announced on them, of all time. */
  readonly connects: readonly LedgerRecord[];
  /** Polls and HTTP heartbeats of the last minutes. */
  readonly recent: readonly LedgerRecord[];
}

/** After this long without a record, a worker counts as gone. Stock workers poll every 15 s. */
export const RECENT_MS = 10 * 60_000;

const NAMED = 5;

/** Empty where no worker is online. */
export async function checkDirectWorkers(
  servers: readonly UpstreamSubject[],
  readRecords: () => Promise<WorkerRecords>,
  apiUrl: string,
): Promise<readonly Verdict[]> {
  const workers = await allWorkers(servers, 'online');
  if (!workers.ok) return [notReached('the workers', `${servers[0]?.url ?? ''}/api/work_pools/filter`, workers.why)];
  const { online } = workers;
  if (online.length === 0) return [];
  const direct = directWorkers(online, await readRecords());
  if (direct.length === 0) return [ok(`${online.length === 1 ? 'the one online worker uses' : `all ${online.length} online workers use`} the gateway`)];
  const names = direct.slice(0, NAMED).map(({ name, pool }) => `${JSON.stringify(name)} of pool ${JSON.stringify(pool)}`);
  return [
    warn(
      `${direct.length} of ${online.length} workers bypass the gateway, and Prefect accepts their direct requests: ${names.join(', ')}${direct.length > NAMED ? ', ...' : ''}`,
      `Restart them with PREFECT_API_URL=${apiUrl} and a token (lictor migrate workers prints the lines), then close Prefect's port to all but the gateway: docs/how-to/network-rules.md.`,
    ),
  ];
}

/**
 * A worker uses the gateway if it announced its name on its channel, and still polls its pool. Workers before 3.7.2 have no channel. So a pool with HTTP
 * heartbeats through the gateway reports none of its workers.
 */
export function directWorkers(online: readonly Worker[], { connects, recent }: WorkerRecords): readonly Worker[] {
  const polls = new Set(recent.filter(({ action }) => action === 'worker.poll').map((record) => key(poolOf(record), record)));
  const nameless = new Set(recent.filter(({ action }) => action === 'worker.heartbeat').map(poolOf));
  return online.filter(({ pool, name }) => {
    if (nameless.has(pool)) return false;
    const hellos = connects.filter((record) => record.resource_type === 'Worker' && record.resource_id === name && poolOf(record) === pool);
    return !hellos.some((hello) => polls.has(key(pool, hello)));
  });
}

function key(pool: string | undefined, { principal, source_ip }: LedgerRecord): string {
  return JSON.stringify([pool, principal, source_ip]);
}

/** The pool in the path of a request. Undefined: none. */
export function poolOf({ path }: Pick<LedgerRecord, 'path'>): string | undefined {
  const raw = /\/api\/work_pools\/([^/?]+)\//.exec(path ?? '')?.[1];
  try {
    return raw === undefined ? undefined : decodeURIComponent(raw);
  } catch {
    return undefined; // The edge rejects such a path; there is no such pool.
  }
}
