// For tests of searches: a ledger of very many records, made inside SQLite. The records have no chain.
import type { DatabaseSync } from 'node:sqlite';

export const MANY_START_MS = Date.parse('2026-01-01T00:00:00.000Z');
/** Requests of one flow run, spread over the records of other runs. */
const RUN_RECORDS = 250;
const PARALLEL_RUNS = 40;

/** The flow run of record `n`. */
export function runOf(n: number): string {
  const run = Math.floor(n / (RUN_RECORDS * PARALLEL_RUNS)) * PARALLEL_RUNS + (n % PARALLEL_RUNS);
  return `0199c0de-0000-7000-8000-${String(run).padStart(12, '0')}`;
}

const RUN_SQL = `printf('0199c0de-0000-7000-8000-%012d', (n / ${RUN_RECORDS * PARALLEL_RUNS}) * ${PARALLEL_RUNS} + n % ${PARALLEL_RUNS})`;

/** 200 requests a second of 300 principals from 500 addresses. One in 100 is denied, one in 1,000 fails. */
export function fillLedger(db: DatabaseSync, count: number): void {
  // SQLite builds an index faster from existing rows than row by row.
  const indexes = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'records' AND sql IS NOT NULL").all();
  db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -100000;');
  for (const { name } of indexes) db.exec(`DROP INDEX ${String(name)}`);
  db.exec('BEGIN');
  db.exec(`
    INSERT INTO records (id, time, request_id, principal, principal_kind, on_behalf_of, source_ip, user_agent, method, path, action, resource_type,
      resource_id, decision, reason, policies, status, bytes, duration_ms, upstream_ms, path_taken, flow_run_id, deployment_id, run_binding, mode, revision,
      node, seq, prev_hash, hash)
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
    SELECT printf('%08x-%04x-7000-8000-%012x', n / 65536, n % 65536, n),
      strftime('%Y-%m-%dT%H:%M:%fZ', ${MANY_START_MS / 1000} + n / 200.0, 'unixepoch'),
      printf('%016x', n), printf('token:worker-%d', n % 300), 'service', '[]', printf('10.0.%d.%d', n % 2, n % 250), 'prefect/3.9.1', 'POST',
      '/api/flow_runs/' || ${RUN_SQL} || '/set_state', 'flow_runs.set_state', 'FlowRun', ${RUN_SQL},
      iif(n % 100 = 0, 'deny', 'allow'), iif(n % 100 = 0, 'policy-default-deny', 'policy-permits'), '["role:worker:run"]',
      CASE WHEN n % 1000 = 1 THEN 502 WHEN n % 100 = 0 THEN 403 ELSE 200 END, 512, 4.5, 3.1, 'direct', ${RUN_SQL},
      printf('0199c0de-0000-7000-9000-%012d', n % 2000), 'verified', 'enforce', 1, 'n1', n, printf('%064x', n - 1), printf('%064x', n)
    FROM numbers;`);
  for (const { sql } of indexes) db.exec(String(sql));
  db.exec('COMMIT; PRAGMA journal_mode = WAL');
}
