// Counts the stored events of Prefect by time. Uses a separate connection; never writes.
import { DatabaseSync } from 'node:sqlite';
import { EVENTS_STORED } from '../events.ts';
import { OF_PREFECT } from './table.ts';

export interface EventCounts {
  /** Epoch milliseconds, both ends included. */
  count(sinceMs: number, untilMs: number): number;
  /** The time of the oldest stored batch. Undefined: there is none. */
  beganMs(): number | undefined;
  close(): void;
}

/** Throws SQLite's errors. */
export function openEventCounts(ledgerFile: string): EventCounts {
  const db = new DatabaseSync(ledgerFile, { readOnly: true, timeout: 2_000 });
  const counted = db.prepare(`SELECT count(*) AS n FROM prefect_events WHERE ${OF_PREFECT} AND occurred BETWEEN ? AND ?`);
  const first = db.prepare('SELECT time FROM records WHERE action = ? ORDER BY time LIMIT 1');
  return {
    count: (sinceMs, untilMs) => Number(counted.get(microseconds(sinceMs), microseconds(untilMs))?.['n'] ?? 0),
    beganMs() {
      const time = first.get(EVENTS_STORED)?.['time'];
      return typeof time === 'string' ? Date.parse(time) : undefined;
    },
    close: () => db.close(),
  };
}

/** The form of `occurred`: its order as text is that of time. */
function microseconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
