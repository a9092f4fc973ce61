import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createClockTrust } from './clock-trust.ts';

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];
const START_MS = Date.parse('2026-03-01T12:00:00Z');

function ledgerFile(meta: Readonly<Record<string, number>> = {}): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT');
  for (const [key, value] of Object.entries(meta)) db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run(key, String(value));
  return db;
}

/** Asked every minute, as long as the gateway runs. Answers what the last one said. */
function run(db: DatabaseSync, fromMs: number, forMs: number): number | null {
  let ranMs = 0;
  const trust = createClockTrust(db, () => ranMs);
  let last: number | null = null;
  for (; ranMs <= forMs; ranMs += MINUTE_MS) last = trust.leap(fromMs + ranMs);
  return last;
}

describe('the clock that says how old a record is', () => {
  it('is believed while it advances, after restarts and a night, and after it went back', () => {
    const db = ledgerFile();
    expect(run(db, START_MS, 40 * HOUR_MS)).toBeNull();
    for (let day = 2; day < 30; day += 1) expect(run(db, START_MS + day * DAY_MS, 13 * HOUR_MS)).toBeNull();
    expect(run(db, START_MS + 20 * DAY_MS, HOUR_MS)).toBeNull();
  });

  it('is not believed when it has leapt, until the gateway has run for a day by it', () => {
    const db = ledgerFile();
    run(db, START_MS, HOUR_MS);
    const aheadMs = START_MS + 400 * DAY_MS;
    expect(run(db, aheadMs, 23 * HOUR_MS)).toBe(400 * DAY_MS + 22 * HOUR_MS);
    expect(run(db, aheadMs + 24 * HOUR_MS, 2 * HOUR_MS)).toBeNull();
  });

  it('is believed again when it is corrected before that', () => {
    const db = ledgerFile();
    run(db, START_MS, HOUR_MS);
    expect(run(db, START_MS + 400 * DAY_MS, HOUR_MS)).not.toBeNull();
    expect(run(db, START_MS + 2 * HOUR_MS, HOUR_MS)).toBeNull();
    expect(run(db, START_MS + 400 * DAY_MS, HOUR_MS)).not.toBeNull();
  });

  it('is not believed in small steps either, whether it is asked or started in between', () => {
    const db = ledgerFile();
    run(db, START_MS, HOUR_MS);
    let ranMs = 0;
    const trust = createClockTrust(db, () => ranMs);
    const steps = Array.from({ length: 30 }, (_, step) => {
      ranMs += 1000;
      return trust.leap(START_MS + step * 23 * HOUR_MS);
    });
    expect(steps.slice(3).every((leap) => leap !== null)).toBe(true);
    const restarts = Array.from({ length: 30 }, (_, step) => run(db, START_MS + step * 23 * HOUR_MS, MINUTE_MS));
    expect(restarts.slice(3).every((leap) => leap !== null)).toBe(true);
  });

  it('is late at each start, until its time server has answered, and loses nothing by it', () => {
    const db = ledgerFile();
    run(db, START_MS, 2 * DAY_MS);
    for (let day = 2; day < 20; day += 1) {
      expect(run(db, 0, MINUTE_MS)).toBeNull();
      expect(run(db, START_MS + day * DAY_MS, 20 * HOUR_MS)).toBeNull();
    }
  });

  it('goes by the last sign of life of a ledger that has nothing else yet, and is believed in a new one', () => {
    expect(run(ledgerFile({ alive_ms: START_MS }), START_MS + 3 * DAY_MS, MINUTE_MS)).not.toBeNull();
    expect(run(ledgerFile({ alive_ms: START_MS }), START_MS + HOUR_MS, MINUTE_MS)).toBeNull();
    expect(run(ledgerFile(), START_MS, MINUTE_MS)).toBeNull();
  });
});
