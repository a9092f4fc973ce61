// What the ledger knows of workers and their runs: denied attempts, and runs that no request through the gateway belongs to.
import { existsSync } from 'node:fs';
import { createDoctorRecords, DOCTOR_REQUESTS, requestsOfDoctor } from '../../contract/doctor-records.ts';
import { isSharedPassword } from '../../contract/principal.ts';
import { type LedgerRecord, wasForwarded } from '../../contract/record.ts';
import { poolOf } from '../../contract/worker-channel.ts';
import { type AuditFilter, openLedgerReader } from '../../record/ledger/query.ts';
import type { Item } from '../doctor/outside/read-pages.ts';

/** Requests of workers that Lictor denied, by pool, principal and reason. */
export interface DeniedWorkers {
  readonly pool: string;
  /** Null: no valid credential. */
  readonly principal: string | null;
  readonly reason: string;
  readonly count: number;
}

export interface SeenRecords {
  readonly denied: readonly DeniedWorkers[];
  /** Of these runs, those that got no state through the gateway with a credential of Lictor. */
  readonly directRuns: readonly Item[];
}

const DENIED_MS = 10 * 60_000;

export async function readSeenRecords(ledgerFile: string, activeRuns: readonly Item[], nowMs: number): Promise<SeenRecords> {
  if (!existsSync(ledgerFile)) return { denied: [], directRuns: activeRuns };
  const reader = openLedgerReader(ledgerFile);
  const read = async (filter: AuditFilter): Promise<readonly LedgerRecord[]> => {
    const records: LedgerRecord[] = [];
    for await (const record of reader.audit(filter)) records.push(record);
    return records;
  };
  const since = (agoMs: number): string => new Date(nowMs - agoMs).toISOString();
  try {
    const doctors = createDoctorRecords();
    for (const created of await read({ action: 'token.create', since: since(2 * DENIED_MS) })) doctors.has(created);
    const all = await read({ action: 'worker.*', decision: 'deny', since: since(DENIED_MS) });
    // The record of doctor's requests without a credential comes after them.
    const probes = new Set((await read({ action: DOCTOR_REQUESTS, since: since(DENIED_MS) })).flatMap(requestsOfDoctor));
    const denied = all.filter((record) => !doctors.has(record) && !probes.has(record.request_id ?? ''));
    const directRuns: Item[] = [];
    for (const run of activeRuns) {
      const states = await read({ action: 'flow_runs.set_state', flowRun: String(run['id']) });
      if (!states.some((record) => wasForwarded(record) && !isSharedPassword({ id: record.principal ?? '' }))) directRuns.push(run);
    }
    return { denied: summed(denied), directRuns };
  } finally {
    reader.close();
  }
}

/** A record of observe mode was forwarded. */
function summed(records: readonly LedgerRecord[]): readonly DeniedWorkers[] {
  const sums = new Map<string, DeniedWorkers>();
  for (const record of records) {
    const { principal, reason } = record;
    if (wasForwarded(record)) continue;
    const one = { pool: poolOf(record) ?? '', principal, reason: reason ?? '' };
    const key = JSON.stringify(one);
    sums.set(key, { ...one, count: (sums.get(key)?.count ?? 0) + 1 });
  }
  return [...sums.values()];
}
