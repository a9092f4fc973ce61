// The workers that Prefect knows, of every work pool.
import { type Item, idOf, PAGE, type Pages, readPage, readPages } from './read-pages.ts';
import type { UpstreamSubject } from './upstream.ts';

export interface Worker {
  readonly pool: string;
  readonly name: string;
}

export interface ListedWorker extends Worker {
  /** `process`, `docker`, `kubernetes` ... */
  readonly type: string;
  /** Its last heartbeat, by this machine's clock. Null: none. */
  readonly beatMs: number | null;
}

export type WorkerList =
  | { readonly ok: true; readonly online: readonly ListedWorker[]; readonly offline: readonly ListedWorker[] }
  | { readonly ok: false; readonly why: string };

/** Never rejects. All online workers; of the offline ones the latest page of each pool, where asked. All servers share one database: the first that answers is enough. */
export async function allWorkers([subject, ...others]: readonly UpstreamSubject[], which: 'online' | 'all'): Promise<WorkerList> {
  if (subject === undefined) return { ok: false, why: 'lictor.yaml names no server of Prefect' };
  const found = await workersOf(subject, which);
  return found.ok || others.length === 0 ? found : allWorkers(others, which);
}

async function workersOf(subject: UpstreamSubject, which: 'online' | 'all'): Promise<WorkerList> {
  const pools = await readPages(subject, '/api/work_pools/filter', {});
  if (!pools.ok) return pools;
  const all: ReadWorker[] = [];
  for (const pool of pools.items) {
    const read = await workersIn(subject, pool, which);
    if (!Array.isArray(read)) return read;
    all.push(...read);
  }
  const [online, offline] = [all.filter(({ isOnline }) => isOnline), all.filter(({ isOnline }) => !isOnline)];
  return { ok: true, online, offline };
}

interface ReadWorker extends ListedWorker {
  readonly isOnline: boolean;
}

async function workersIn(subject: UpstreamSubject, pool: Item, which: 'online' | 'all'): Promise<ReadWorker[] | Exclude<Pages, { ok: true }>> {
  const path = `/api/work_pools/${encodeURIComponent(textOf(pool, 'name'))}/workers/filter`;
  const online = await readPages(subject, path, withStatus('ONLINE'));
  if (!online.ok) return online;
  const offline = which === 'all' ? await readPage(subject, path, { ...withStatus('OFFLINE'), limit: PAGE }) : undefined;
  if (offline?.ok === false) return offline;
  // A worker may become offline between the two lists.
  const each = new Map([...online.items, ...(offline?.items ?? [])].map((item) => [idOf(item), item]));
  return [...each.values()].map((item) => listed(pool, item, online.aheadMs));
}

function withStatus(status: string): object {
  return { workers: { status: { any_: [status] } } };
}

/** Prefect marks a worker some seconds after the heartbeat is too old, and answers the status of this moment. */
function listed(pool: Item, worker: Item, aheadMs: number): ReadWorker {
  const beatMs = Date.parse(textOf(worker, 'last_heartbeat_time'));
  return {
    ...{ pool: textOf(pool, 'name'), type: textOf(pool, 'type'), name: textOf(worker, 'name') },
    ...{ beatMs: Number.isNaN(beatMs) ? null : beatMs - aheadMs, isOnline: worker['status'] !== 'OFFLINE' },
  };
}

function textOf(item: Item, key: string): string {
  const value = item[key];
  return typeof value === 'string' ? value : '';
}
