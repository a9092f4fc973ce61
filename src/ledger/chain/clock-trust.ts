// Whether the clock may say that records are old: one that has leapt ahead (a wrong time server, a dead battery) would let evidence go that is young.
import type { DatabaseSync } from 'node:sqlite';

/** What a clock may gain at once: a gateway that was away for longer waits as well. */
const LEAP_MS = 24 * 3_600_000;
/** So long the gateway must have run by the new time before that is believed. */
const PROBATION_MS = 24 * 3_600_000;
/** Of the time between two questions, which come every second, at most this counts as run. */
const STEP_MS = 60_000;
const SAVE_EVERY_MS = 60_000;

export interface ClockTrust {
  /** Null: it is believed. Else by how much it has leapt, ms. Inside a transaction. */
  leap(nowMs: number): number | null;
}

/** The time that was believed last is kept in the ledger's file; before there was one, the last sign of life. */
export function createClockTrust(db: DatabaseSync): ClockTrust {
  const get = db.prepare('SELECT value FROM meta WHERE key = ?');
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const read = (key: string): number | undefined => {
    const value = Number(get.get(key)?.value ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  let believedMs = read('believed_ms') ?? read('alive_ms');
  let probationMs = read('probation_ms') ?? 0;
  let lastMs: number | undefined;
  let savedMs = Number.NEGATIVE_INFINITY;

  function save(nowMs: number): void {
    if (Math.abs(nowMs - savedMs) < SAVE_EVERY_MS) return;
    savedMs = nowMs;
    put.run('believed_ms', String(believedMs));
    put.run('probation_ms', String(probationMs));
  }

  return {
    leap(nowMs) {
      const gainedMs = nowMs - (believedMs ?? nowMs);
      probationMs = gainedMs > LEAP_MS ? probationMs + Math.min(STEP_MS, Math.max(0, nowMs - (lastMs ?? nowMs))) : 0;
      lastMs = nowMs;
      const isBelieved = gainedMs <= LEAP_MS || probationMs >= PROBATION_MS;
      if (isBelieved) [believedMs, probationMs] = [nowMs, 0];
      save(nowMs);
      return isBelieved ? null : gainedMs;
    },
  };
}
