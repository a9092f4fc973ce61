// Verifies the stored events of Prefect against the records of the chain.
import type { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { EventEvidence } from '../chain/evidence.ts';
import type { Problem } from '../chain/report.ts';
import { parseStoredEvents, type StoredEvents } from '../events.ts';
import { createBatchRows, createRangeOf } from './batch-rows.ts';
import { createEventDigest, hasEvents } from './table.ts';

const FREE = 'SELECT n FROM prefect_events WHERE n > ?1 AND n < ?2';

export interface ExaminedEvents {
  /** The number of read rows. */
  readonly count: number;
  readonly problem: Pick<Problem, 'kind' | 'message'> | undefined;
}

/** Compares a record's events with its digest. Undefined: the record covers none. Inside a transaction. */
export function createEventExaminer(db: DatabaseSync): (record: LedgerRecord) => ExaminedEvents | undefined {
  const rowsOf = hasEvents(db) ? createBatchRows(db) : undefined;
  return (record) => {
    const stored = parseStoredEvents(record);
    if (stored === undefined) return undefined;
    const digest = createEventDigest();
    let count = 0;
    for (const row of rowsOf?.(record) ?? []) {
      digest.add(row);
      count += 1;
    }
    return { count, problem: problemOf(record, stored, { count, sha256: digest.hex() }) };
  };
}

function problemOf(record: LedgerRecord, stored: StoredEvents, found: Pick<StoredEvents, 'count' | 'sha256'>): ExaminedEvents['problem'] {
  const which = `events ${stored.first} to ${stored.last} of Prefect, which record ${record.seq} of ${record.node} (${record.time}) covers`;
  if (found.count < stored.count) return { kind: 'removed', message: `${stored.count - found.count} of the ${which}, are gone` };
  if (found.count > stored.count) return { kind: 'inserted', message: `${found.count - stored.count} too many are among the ${which}` };
  return found.sha256 === stored.sha256 ? undefined : { kind: 'edited', message: `the ${which}, were edited: they do not fit its digest` };
}

/** Needs one read transaction around it. */
export function storedEventEvidence(db: DatabaseSync): EventEvidence {
  const examine = createEventExaminer(db);
  const rangeOf = hasEvents(db) ? createRangeOf(db) : parseStoredEvents;
  const covered: [number, number][] = [];
  return {
    carried: true,
    check(record) {
      const range = rangeOf(record);
      // The record itself was changed: its hash shows that.
      if (range === undefined) return undefined;
      remember(covered, [range.first, range.last]);
      return examine(record)?.problem;
    },
    uncovered() {
      if (!hasEvents(db)) return [];
      const free = db.prepare(`${FREE} UNION ALL SELECT n FROM repeated_events WHERE n > ?1 AND n < ?2 LIMIT 1`);
      const sorted = covered.sort(([a], [b]) => a - b);
      const ends = [...sorted.map(([first]) => first), Number.MAX_SAFE_INTEGER];
      const starts = [Number.MIN_SAFE_INTEGER, ...sorted.map(([, last]) => last)];
      const found = starts.flatMap((start, index) => free.get(start, ends[index] ?? start)?.['n'] ?? []);
      return found.map((n) => `event ${String(n)} of Prefect was added: no record covers it`);
    },
  };
}

/** Joins consecutive ranges, so that there are few. */
function remember(covered: [number, number][], [first, last]: [number, number]): void {
  const before = covered.at(-1);
  if (before !== undefined && before[1] + 1 === first) before[1] = last;
  else covered.push([first, last]);
}
