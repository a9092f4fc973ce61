// The client's own list against the ledger: nothing answered is missing without a gap that is named, and nothing is there twice.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { GATEWAY_ACTIONS } from '../../../src/record/ledger/events.ts';
import { SUMMARY_ACTION } from '../../../src/record/ledger/floods.ts';
import { waitFor } from '../../env/process.ts';
import { CONNECTIONS, type KillLoad } from './load.ts';

export interface Kill {
  readonly what: 'control' | 'worker' | 'nginx' | 'all';
  readonly atMs: number;
}

interface Gap {
  readonly action: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The death of a worker is known to the second; clocks of log and client are one. */
const SLACK_MS = 2_000;

export interface Proof {
  /** Requests a second that were sent, over all outages. */
  readonly perSecond: number;
  readonly answered: number;
  readonly changes: number;
  readonly broken: number;
  /** Answered requests without a record: each in a gap that is named. */
  readonly inGaps: number;
  readonly gaps: number;
}

/** Throws what is missing, or there twice. */
export async function proveLedger(stateDir: string, load: Pick<KillLoad, 'answered' | 'broken' | 'perSecond'>, kills: readonly Kill[]): Promise<Proof> {
  const { answered } = load;
  const changes = answered.filter(({ mediated, status }) => mediated && status < 400);
  const lost = mostLost(kills);
  const known = requestCounts(stateDir);
  expect(
    [...known].filter(([, count]) => count > 1),
    'requests with two records',
  ).toEqual([]);
  expect(
    changes.filter(({ id }) => !known.has(id)),
    'answered changes without a record',
  ).toEqual([]);
  const missing = answered.filter(({ id, status }) => !known.has(id) && status !== 503);
  const gaps = namedGaps(stateDir);
  const unexplained = missing.filter(({ sentMs, atMs }) => !gaps.some(({ fromMs, toMs }) => atMs >= fromMs - SLACK_MS && sentMs <= toMs + SLACK_MS));
  expect(unexplained, `answered, without a record, and in no gap of ${JSON.stringify(gaps)}`).toEqual([]);
  expect(missing.length, 'more are missing than can have been in flight').toBeLessThanOrEqual(lost);
  expect(gaps.filter(({ action }) => action === GATEWAY_ACTIONS.edgeWorkerDied).length, 'deaths of workers').toBeGreaterThanOrEqual(
    kills.filter(({ what }) => what === 'worker').length,
  );
  return { perSecond: load.perSecond(), answered: answered.length, changes: changes.length, broken: load.broken(), inGaps: missing.length, gaps: gaps.length };
}

/** Requests that may have been in flight when the parts died. */
function mostLost(kills: readonly Kill[]): number {
  return kills.filter(({ what }) => what !== 'control').length * CONNECTIONS;
}

/** Refused while nobody could decide: of nobody, so beyond a hundred a minute they are in sums, exactly as many as were answered or may have been, but for the lost. A sum comes up to 90 s later. */
export async function summedUp(stateDir: string, { answered }: Pick<KillLoad, 'answered'>, kills: readonly Kill[]): Promise<void> {
  const lost = mostLost(kills);
  const refused = answered.filter(({ status }) => status === 503);
  await waitFor(
    () => {
      const known = requestCounts(stateDir);
      const single = refused.filter(({ id }) => !known.has(id)).length;
      return summed(stateDir) >= single - lost;
    },
    { what: 'the sums of what nobody decided', timeoutMs: 180_000, everyMs: 1_000 },
  );
}

function query<T>(stateDir: string, work: (db: DatabaseSync) => T): T {
  using db = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  return work(db);
}

function requestCounts(stateDir: string): ReadonlyMap<string, number> {
  const sql = "SELECT request_id, count(*) AS times FROM records WHERE request_id IS NOT NULL AND path LIKE '/api/%' GROUP BY request_id";
  return query(
    stateDir,
    (db) =>
      new Map(
        db
          .prepare(sql)
          .all()
          .map((row) => [String(row['request_id']), Number(row['times'])]),
      ),
  );
}

function summed(stateDir: string): number {
  return query(stateDir, (db) =>
    Number(db.prepare('SELECT coalesce(sum(CAST(resource_id AS INTEGER)), 0) AS n FROM records WHERE action = ?').get(SUMMARY_ACTION)?.['n']),
  );
}

/** Deaths of workers; and starts after a kill, of everything that died with the control plane. */
function namedGaps(stateDir: string): readonly Gap[] {
  const sql = "SELECT action, time, duration_ms FROM records WHERE action = ? OR (action = ? AND resource_id = 'unclean')";
  return query(stateDir, (db) =>
    db
      .prepare(sql)
      .all(GATEWAY_ACTIONS.edgeWorkerDied, GATEWAY_ACTIONS.started)
      .map((row) => {
        const toMs = Date.parse(String(row['time']));
        return { action: String(row['action']), toMs, fromMs: toMs - Number(row['duration_ms'] ?? 60_000) };
      }),
  );
}

/** When every line that was written has become a record: as many as there are do not grow any more, twice in a row. */
export async function ingested(stateDir: string): Promise<void> {
  let before = -1;
  const isStill = (): boolean => {
    const now = query(
      stateDir,
      (db) => Number(db.prepare('SELECT count(*) AS n FROM records').get()?.['n']) + Number(db.prepare('SELECT count(*) AS n FROM intents').get()?.['n']) * 1e9,
    );
    const same = now === before && now < 1e9;
    before = now;
    return same;
  };
  await waitFor(isStill, { what: 'the ledger to have read everything', timeoutMs: 180_000, everyMs: 3_000 });
}
