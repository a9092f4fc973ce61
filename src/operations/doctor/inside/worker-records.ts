// The ledger's records of workers: who announced a name on a channel, and who polls.
import { existsSync } from 'node:fs';
import { type LedgerRecord, wasForwarded } from '../../../contract/record.ts';
import { type AuditFilter, openLedgerReader } from '../../../record/ledger/query.ts';
import { RECENT_MS, type WorkerRecords } from '../outside/direct-workers.ts';

/** Only the newest: a reconnecting fleet writes many. */
const MOST = 20_000;

export async function readWorkerRecords(ledgerFile: string, nowMs: number): Promise<WorkerRecords> {
  if (!existsSync(ledgerFile)) return { connects: [], recent: [] };
  const reader = openLedgerReader(ledgerFile);
  const read = async (filter: AuditFilter): Promise<readonly LedgerRecord[]> => {
    const records: LedgerRecord[] = [];
    for await (const record of reader.audit({ ...filter, last: MOST })) if (wasForwarded(record)) records.push(record);
    return records;
  };
  try {
    const since = new Date(nowMs - RECENT_MS).toISOString();
    const [connects, polls, heartbeats] = [
      await read({ action: 'worker.connect' }),
      await read({ action: 'worker.poll', since }),
      await read({ action: 'worker.heartbeat', since }),
    ];
    return { connects, recent: [...polls, ...heartbeats] };
  } finally {
    reader.close();
  }
}
