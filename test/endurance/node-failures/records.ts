// What clients got, against the merged ledgers of all nodes: each answered request has one record.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GATEWAY_ACTIONS } from '../../../src/record/ledger/events.ts';
import { SUMMARY_ACTION } from '../../../src/record/ledger/floods.ts';
import type { Gateway } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import type { Cluster } from '../../env/several/cluster.ts';
import type { Answered } from './load.ts';

export interface RecordCounts {
  /** Answers of a node. Those of the load balancer have no id. */
  readonly answered: number;
  readonly single: number;
  /** Of clients that were not authenticated: counted in a record for each minute. */
  readonly summed: number;
  /** Without a record, in a time that a record names. */
  readonly inGaps: number;
  readonly missing: readonly Answered[];
  readonly twice: readonly string[];
}

/** Of these, records may be sums. */
const ANONYMOUS = new Set([401, 429, 502, 503]);
const SLACK_MS = 2_000;

interface Row {
  readonly time: string;
  readonly node: string;
  readonly requestId: string | null;
  readonly action: string;
  readonly resourceId: string | null;
  readonly durationMs: number | null;
}

/** By the ledger of one node, which has the records of all. */
export async function countRecords(
  cluster: Cluster,
  answered: readonly Answered[],
  { at, fromMs }: { readonly at: Gateway; readonly fromMs: number },
): Promise<RecordCounts> {
  // Each ledger has read what its nginx wrote.
  for (const node of cluster.nodes) await node.lictorOk('audit', '--last', '1', '--json');
  const withId = answered.filter(({ id }) => id !== '');
  const count = (): RecordCounts => {
    const rows = read(at, fromMs);
    const times = new Map<string, number>();
    for (const { requestId } of rows) if (requestId !== null) times.set(requestId, (times.get(requestId) ?? 0) + 1);
    const without = withId.filter(({ id }) => !times.has(id));
    const gaps = gapsIn(rows);
    const isInGap = ({ sentMs, atMs }: Answered) => gaps.some(([from, to]) => atMs >= from - SLACK_MS && sentMs <= to + SLACK_MS);
    const [anonymous, other] = [without.filter(({ status }) => ANONYMOUS.has(status)), without.filter(({ status }) => !ANONYMOUS.has(status))];
    const sums = rows.filter(({ action }) => action === SUMMARY_ACTION).reduce((sum, { resourceId }) => sum + Number(resourceId ?? 0), 0);
    const unsummed = sums >= anonymous.length ? [] : anonymous.filter((one) => !isInGap(one));
    return {
      answered: withId.length,
      single: withId.length - without.length,
      summed: anonymous.length - unsummed.length,
      inGaps: other.filter(isInGap).length,
      missing: [...other.filter((one) => !isInGap(one)), ...unsummed],
      twice: withId.flatMap(({ id }) => ((times.get(id) ?? 0) > 1 ? [id] : [])),
    };
  };
  // A sum comes up to 90 s later.
  await waitFor(() => count().missing.length === 0, { what: 'every record', timeoutMs: 150_000, everyMs: 3_000 }).catch(() => undefined);
  return count();
}

function query<T>({ stateDir }: Gateway, work: (db: DatabaseSync) => T): T {
  using db = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  return work(db);
}

function read(at: Gateway, fromMs: number): readonly Row[] {
  const sql = 'SELECT time, node, request_id, action, resource_id, duration_ms FROM records WHERE time >= ?';
  return query(at, (db) =>
    db
      .prepare(sql)
      .all(new Date(fromMs).toISOString())
      .map((row) => ({
        time: String(row['time']),
        node: String(row['node']),
        requestId: typeof row['request_id'] === 'string' ? row['request_id'] : null,
        action: String(row['action']),
        resourceId: typeof row['resource_id'] === 'string' ? row['resource_id'] : null,
        durationMs: typeof row['duration_ms'] === 'number' ? row['duration_ms'] : null,
      })),
  );
}

/** Deaths of nginx's workers, starts after a kill, and times in which the ledger could not be written. */
function gapsIn(rows: readonly Row[]): readonly (readonly [fromMs: number, toMs: number])[] {
  const named = rows.filter(
    ({ action, resourceId }) =>
      action === GATEWAY_ACTIONS.edgeWorkerDied || action === GATEWAY_ACTIONS.recovered || (action === GATEWAY_ACTIONS.started && resourceId === 'unclean'),
  );
  return named.map(({ time, durationMs }) => [Date.parse(time) - (durationMs ?? 60_000), Date.parse(time)]);
}
