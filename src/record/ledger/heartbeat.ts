// The control plane's heartbeat in the ledger: whether the last one ended cleanly, and when it last lived.
import type { DatabaseSync } from 'node:sqlite';
import type { AppendRow } from './append.ts';
import { startedRecord } from './events.ts';
import type { WorkerSetup } from './protocol.ts';

const BEAT_EVERY_MS = 10_000;
const WORKER_MEMORY_MS = 7 * 86_400_000;

export interface Heartbeat {
  /** Records the start, once for each session. A restarted worker thread of the same session is no start. */
  start(atMs: number): void;
  /** Writes every ten seconds. `readMs`: the access log is read up to this time. Unread lines may not be on the disk, so a gap begins there. */
  beat(nowMs: number, readMs: number): void;
  beatNow(nowMs: number, readMs: number): void;
  stop(nowMs: number): void;
}

/** All methods run inside a transaction. */
export function createHeartbeat(db: DatabaseSync, appendRow: AppendRow, { node, session, grants }: WorkerSetup): Heartbeat {
  const get = db.prepare('SELECT value FROM meta WHERE key = ?');
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const read = (key: string) => {
    const value = get.get(key)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  let beatMs = 0;

  return {
    start(startedAtMs) {
      const state = read('state');
      put.run('state', 'running');
      if (read('session') === session) return;
      const aliveMs = Number(read('alive_ms') ?? Number.NaN);
      const previous = state === undefined ? 'none' : state === 'stopped' ? 'clean' : 'unclean';
      const awayMs = Number.isNaN(aliveMs) ? null : Math.max(0, startedAtMs - aliveMs);
      appendRow(startedRecord(startedAtMs, { previous, awayMs, grants }));
      db.prepare('DELETE FROM edge_workers WHERE seen_ms < ?').run(startedAtMs - WORKER_MEMORY_MS);
      put.run('node', node);
      put.run('session', session);
      put.run('alive_ms', String(startedAtMs));
    },
    beat(nowMs, readMs) {
      // Writes also when the clock went back: a later time would hide a gap.
      if (Math.abs(nowMs - beatMs) >= BEAT_EVERY_MS) this.beatNow(nowMs, readMs);
    },
    beatNow(nowMs, readMs) {
      beatMs = nowMs;
      put.run('alive_ms', String(readMs));
    },
    stop(nowMs) {
      put.run('state', 'stopped');
      put.run('alive_ms', String(nowMs));
    },
  };
}
