// Which workers come through the gateway: those that Prefect knows, compared with open channels and HTTP heartbeats at the gateway.
import { isSharedPassword } from '../../../contract/principal.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { poolOf, type WorkerChannel } from '../../../contract/worker-channel.ts';
import type { ListedWorker } from './all-workers.ts';
import { tokenNameOf } from './worker-token-name.ts';

/**
 * `gateway`: it has moved. `direct`: not yet. `both`: under this name Prefect gets heartbeats through the gateway and past it. `shared-password`: it
 * uses the gateway with Prefect's own auth string, which only observe mode accepts. `unclear`: it has no channel and shares its token, so its heartbeats
 * may be those of another worker. `renamed`: it runs through the gateway under another name.
 */
export type Way = 'gateway' | 'direct' | 'both' | 'shared-password' | 'unclear' | 'renamed';

export interface ComparedWorker extends ListedWorker {
  readonly way: Way;
  /** Of a renamed worker. */
  readonly newName: string | null;
  /** The first sign of it at the gateway with a credential of Lictor. Null: none. */
  readonly firstSeenMs: number | null;
}

export interface SeenAtGateway {
  readonly channels: readonly WorkerChannel[];
  /** Forwarded records of `worker.heartbeat`, of the last minutes. Workers before 3.7.2 have no channel, and others fall back to these. */
  readonly heartbeats: readonly LedgerRecord[];
}

/** The clocks of Prefect and the gateway are compared to a second, and a record may be later than its request. */
const TOLERANCE_MS = 5_000;

export function compareWorkers(online: readonly ListedWorker[], seen: SeenAtGateway): readonly ComparedWorker[] {
  return online.map((worker) => {
    const newName = renamedTo(worker, seen.channels);
    return { ...worker, newName, way: newName === null ? wayOf(worker, seen) : 'renamed', firstSeenMs: firstSeen(worker, seen) };
  });
}

/** A renamed worker is counted under its new name. */
export function counted(workers: readonly ComparedWorker[]): readonly ComparedWorker[] {
  return workers.filter(({ way }) => way !== 'renamed');
}

function firstSeen(worker: ListedWorker, { channels, heartbeats }: SeenAtGateway): number | null {
  const opened = channels.filter((channel) => isOf(channel, worker) && !isShared(channel)).map(({ sinceMs }) => sinceMs);
  const beats = heartbeats.filter((record) => poolOf(record) === worker.pool && isOwn(record.principal, worker)).map(({ time }) => Date.parse(time));
  return opened.length + beats.length === 0 ? null : Math.min(...opened, ...beats);
}

function wayOf(worker: ListedWorker, { channels, heartbeats }: SeenAtGateway): Way {
  const here = channels.filter((channel) => isOf(channel, worker));
  const inPool = heartbeats.filter((record) => poolOf(record) === worker.pool);
  const own = inPool.filter(({ principal }) => isOwn(principal, worker));
  if (here.some(isShared)) return 'shared-password';
  const hasChannel = here.length > 0;
  if (hasChannel ? !beatsAfter(worker, Math.max(...here.map(({ heardMs }) => heardMs))) : isNear(worker, own)) return 'gateway';
  if (isNear(worker, inPool.filter(isShared))) return 'shared-password';
  if (hasChannel) return isNear(worker, inPool) ? 'gateway' : 'both';
  if (own.length > 0) return 'both';
  return isNear(worker, inPool) ? 'unclear' : 'direct';
}

/** The same token announced another name after the last heartbeat under the old one. */
function renamedTo(worker: ListedWorker, channels: readonly WorkerChannel[]): string | null {
  if (channels.some((channel) => isOf(channel, worker))) return null;
  const successor = channels.find(
    ({ pool, principal, sinceMs }) => pool === worker.pool && isOwn(principal, worker) && worker.beatMs !== null && sinceMs > worker.beatMs,
  );
  return successor?.name ?? null;
}

function isOf(channel: WorkerChannel, { pool, name }: ListedWorker): boolean {
  return channel.pool === pool && channel.name === name;
}

function isShared({ principal }: { readonly principal: string | null }): boolean {
  return principal !== null && isSharedPassword({ id: principal });
}

/** A token that was made for it, or one of its name. */
function isOwn(principal: string | null, worker: ListedWorker): boolean {
  return principal === `token:${tokenNameOf(worker)}` || principal === `token:${worker.name}`;
}

function beatsAfter({ beatMs }: ListedWorker, heardMs: number): boolean {
  return beatMs !== null && beatMs > heardMs + TOLERANCE_MS;
}

function isNear({ beatMs }: ListedWorker, records: readonly LedgerRecord[]): boolean {
  return beatMs !== null && records.some(({ time }) => Math.abs(Date.parse(time) - beatMs) <= TOLERANCE_MS);
}
