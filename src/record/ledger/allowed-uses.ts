// Which actions each principal was allowed in a period: for rights that nobody used. Counted in steps, because a ledger has millions of records.
import { openToRead } from './open-to-read.ts';

export interface AllowedUse {
  readonly principal: string;
  readonly action: string;
  readonly requests: number;
  /** Of the latest request. RFC 3339. */
  readonly last: string;
}

export interface Counted {
  readonly uses: readonly AllowedUse[];
  /** The requests before this time are counted: call again. Null: all are. RFC 3339. */
  readonly to: string | null;
}

export interface UseCounts {
  /** One step. The next call with the same `since` goes on. Throws as `openLedgerReader`. `since`: RFC 3339 in UTC with milliseconds. */
  step(since: string): Counted;
}

interface Limits {
  /** A step ends with the first chunk after this time. */
  readonly stepMs: number;
  /** Records. */
  readonly chunk: number;
}

const LIMITS: Limits = { stepMs: 1_500, chunk: 50_000 };
/** Periods that are counted at the same time. */
const MOST_COUNTS = 4;
/** Pairs of a principal and an action. */
const MOST_USES = 500_000;

const END_SQL = 'SELECT time FROM records WHERE time >= ? ORDER BY time LIMIT 1 OFFSET ?';
const NEXT_SQL = 'SELECT min(time) AS time FROM records WHERE time > ?';
/** `+`: a chunk is read in order of time, without an index of decisions. */
const SQL = `SELECT principal, action, count(*) AS requests, max(time) AS last FROM records
  WHERE time >= ? AND time < ? AND principal IS NOT NULL AND action IS NOT NULL AND +decision = 'allow' GROUP BY principal, action`;
const END_OF_TIME = '9999';

type Database = ReturnType<typeof openToRead>;

export function createUseCounts(file: string, { stepMs, chunk }: Limits = LIMITS): UseCounts {
  const counts = new Map<string, Count>();
  const countOf = (since: string): Count => {
    const count = counts.get(since) ?? { from: since, uses: new Map() };
    counts.delete(since);
    counts.set(since, count);
    for (const oldest of [...counts.keys()].slice(0, -MOST_COUNTS)) counts.delete(oldest);
    return count;
  };
  return {
    step(since) {
      const count = countOf(since);
      const db = openToRead(file);
      try {
        const endMs = performance.now() + stepMs;
        do {
          const end = endOfChunk(db, count.from, chunk);
          const uses = usesBetween(db, count.from, end ?? END_OF_TIME);
          // The last chunk still grows, so the next call counts it again.
          if (end === null) return { uses: [...added(count.uses, uses).values()], to: null };
          count.uses = added(count.uses, uses);
          count.from = end;
        } while (performance.now() < endMs);
        return { uses: [], to: count.from };
      } finally {
        db.close();
      }
    },
  };
}

interface Count {
  /** Everything before this time is in `uses`. */
  from: string;
  uses: ReadonlyMap<string, AllowedUse>;
}

/** Null: fewer records are left than a chunk has. */
function endOfChunk(db: Database, from: string, chunk: number): string | null {
  const end = db.prepare(END_SQL).get(from, chunk)?.['time'] ?? null;
  // A whole chunk of one millisecond.
  const later = end === from ? db.prepare(NEXT_SQL).get(from)?.['time'] : end;
  return later === null || later === undefined ? null : String(later);
}

function usesBetween(db: Database, from: string, end: string): readonly AllowedUse[] {
  return db
    .prepare(SQL)
    .all(from, end)
    .map(({ principal, action, requests, last }) => ({
      principal: String(principal),
      action: String(action),
      requests: Number(requests),
      last: String(last),
    }));
}

function added(before: ReadonlyMap<string, AllowedUse>, uses: readonly AllowedUse[]): ReadonlyMap<string, AllowedUse> {
  const sum = new Map(before);
  for (const use of uses) {
    const key = JSON.stringify([use.principal, use.action]);
    const known = sum.get(key);
    if (known === undefined && sum.size >= MOST_USES) continue;
    // The chunks are in order of time, so the last request is in the later one.
    sum.set(key, known === undefined ? use : { ...use, requests: known.requests + use.requests });
  }
  return sum;
}
