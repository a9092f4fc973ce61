// A ledger's database as evidence.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { storedEventEvidence } from '../prefect-events/examine.ts';
import type { Evidence } from './evidence.ts';
import type { Signed } from './statement.ts';

/** One read transaction must be open around it: the records and what was signed about them are of one moment. `onRecord` is told now and then how many were read. */
export function storeEvidence(db: DatabaseSync, from: ReadonlyMap<string, number> = new Map(), onRecord: (count: number) => void = () => undefined): Evidence {
  const head = db.prepare('SELECT text, signature FROM head').get();
  return {
    records: records(db, from, onRecord),
    checkpoints: db.prepare('SELECT text, signature FROM checkpoints ORDER BY number').all().map(signedOf),
    end: head === undefined ? undefined : signedOf(head),
    endKind: 'head',
    events: storedEventEvidence(db),
  };
}

function signedOf(row: Record<string, SQLOutputValue>): Signed {
  return { text: String(row['text']), signature: String(row['signature']) };
}

const TELL_EVERY = 10_000;

function* records(db: DatabaseSync, from: ReadonlyMap<string, number>, onRecord: (count: number) => void): Generator<LedgerRecord> {
  const all = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq >= ? ORDER BY seq`);
  let count = 0;
  for (const { node } of db.prepare('SELECT DISTINCT node FROM records ORDER BY node').all()) {
    // A number below the first one would be an addition too.
    for (const row of all.iterate(String(node), from.get(String(node)) ?? Number.MIN_SAFE_INTEGER)) {
      count += 1;
      if (count % TELL_EVERY === 0) onRecord(count);
      yield recordOfRow(row);
    }
  }
}
