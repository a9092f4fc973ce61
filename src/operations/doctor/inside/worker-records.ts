// The ledger's records of workers that report over HTTP.
import { existsSync } from 'node:fs';
import { type LedgerRecord, wasForwarded } from '../../../contract/record.ts';
import { openLedgerReader } from '../../../record/ledger/query.ts';

/** Two missed heartbeats of a stock worker, and some more. */
const HEARTBEATS_MS = 2 * 60_000;

/** Of the last minutes: those that Prefect got. */
export async function readHeartbeats(ledgerFile: string, nowMs: number): Promise<readonly LedgerRecord[]> {
  if (!existsSync(ledgerFile)) return [];
  const reader = openLedgerReader(ledgerFile);
  try {
    const records: LedgerRecord[] = [];
    const since = new Date(nowMs - HEARTBEATS_MS).toISOString();
    for await (const record of reader.audit({ action: 'worker.heartbeat', since })) if (wasForwarded(record)) records.push(record);
    return records;
  } finally {
    reader.close();
  }
}
