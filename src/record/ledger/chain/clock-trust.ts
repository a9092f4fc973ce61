// Whether the clock may say that records are old: one that has leapt ahead (a wrong time server, a dead battery) would let evidence go that is young.
import type { DatabaseSync } from 'node:sqlite';

/** So far the clock may be ahead of the time that is believed: a night's absence, a correction. */
const LEAP_MS = 24 * 3_600_000;
/** So long the gateway must have run by a time farther away, before that is believed. */
const PROBATION_MS = 24 * 3_600_000;
/** The believed time follows the clock at most so many times as fast as the gateway runs: leaps in small steps add up. */
const CATCH_UP = 2;
const SAVE_EVERY_MS = 60_000;

export interface ClockTrust {
  /** Null: it is believed. Else by how much it has leapt, ms. Inside a transaction. */
  leap(nowMs: number): number | null;
}

/**
 * The time that is believed is kept in the ledger's file; before there was one, the last sign of life counts. How long the gateway has run is told by a clock
 * that nobody sets, `runMs`. A clock that is far behind, as before its time server has answered, holds nothing back and is believed as late.
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

  /** Answers what is believed after the gateway has run for `passedMs` more. */
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
