// Whether the clock may age records: after a jump ahead (a wrong time server, a dead battery), retention would delete young evidence.
import type { DatabaseSync } from 'node:sqlite';

/** How far the clock may be ahead of the believed time, for example after a night of absence or a correction. */
const LEAP_MS = 24 * 3_600_000;
/** How long the gateway must run by a farther time before it believes that time. */
const PROBATION_MS = 24 * 3_600_000;
/** The believed time advances at most this many times as fast as the gateway runs, so that small jumps do not add up. */
const CATCH_UP = 2;
const SAVE_EVERY_MS = 60_000;

export interface ClockTrust {
  /** Null: the clock is believed. Otherwise the size of its jump in ms. Inside a transaction. */
  leap(nowMs: number): number | null;
}

/**
 * The ledger stores the believed time; at first it is the last heartbeat. `runMs` is a steady clock. A clock that is far behind, as before the first time
 * sync, delays nothing and is believed later.
 */
export function createClockTrust(db: DatabaseSync, runMs: () => number = () => performance.now()): ClockTrust {
  const get = db.prepare('SELECT value FROM meta WHERE key = ?');
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const read = (key: string): number | undefined => {
    const value = Number(get.get(key)?.value ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  let believedMs = read('believed_ms') ?? read('alive_ms');
  let probationMs = read('probation_ms') ?? 0;
  let lastRunMs = runMs();
  let savedRunMs = Number.NEGATIVE_INFINITY;

  function ran(): number {
    const now = runMs();
    const passed = now - lastRunMs;
    lastRunMs = now;
    return passed;
  }

  function save(believed: number): void {
    if (lastRunMs - savedRunMs < SAVE_EVERY_MS) return;
    savedRunMs = lastRunMs;
    put.run('believed_ms', String(Math.round(believed)));
    put.run('probation_ms', String(Math.round(probationMs)));
  }

  /** Returns the believed time after the gateway has run for `passedMs` more. */
  function followed(nowMs: number, passedMs: number): number {
    const before = believedMs ?? nowMs;
    const aheadMs = nowMs - before;
    const isFar = Math.abs(aheadMs) > LEAP_MS;
    probationMs = isFar ? probationMs + passedMs : 0;
    if (!isFar) return before + Math.min(Math.max(aheadMs, 0), passedMs * CATCH_UP);
    if (probationMs < PROBATION_MS) return before;
    probationMs = 0;
    return nowMs;
  }

  return {
    leap(nowMs) {
      const believed = followed(nowMs, ran());
      believedMs = believed;
      save(believed);
      return nowMs - believed > LEAP_MS ? nowMs - believed : null;
    },
  };
}
