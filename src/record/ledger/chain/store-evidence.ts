// A ledger's database as evidence.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { LedgerRecord } from '../../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { storedEventEvidence } from '../prefect-events/examine.ts';
import type { Evidence } from './evidence.ts';
import type { Signed } from './statement.ts';

/** Needs one read transaction around it, so that records and signatures are of one moment. `onRecord` gets the number of read records from time to time. */
export function storeEvidence(db: DatabaseSync, from: ReadonlyMap<string, number> = new Map(), onRecord: (count: number) => void = () => undefined): Evidence {
  const head = db.prepare('SELECT text, signature FROM head').get();
  return {
    records: records(db, from, onRecord),
    checkpoints: db.prepare('SELECT text, signature FROM checkpoints ORDER BY number').all().map(signedOf),
    end: head === undefined ? undefined : signedOf(head),
    endKind: 'head',
    hidden: () => [...foreignParts(db), ...brokenParts(db)],
    events: storedEventEvidence(db),
  };
}

/** Lictor creates no trigger and no view: these change what is written or read. */
function foreignParts(db: DatabaseSync): readonly string[] {
  const rows = db.prepare("SELECT type, name FROM main.sqlite_schema WHERE type IN ('trigger', 'view') ORDER BY name").all();
  return rows.map(({ type, name }) => `the ${String(type)} ${String(name)} was added to the database: it can change new records and hide existing ones`);
}

/** Verification reads records along one index, searches use others. Each index must have all records. */
function brokenParts(db: DatabaseSync): readonly string[] {
  const found = db
    .prepare('PRAGMA main.integrity_check(5)')
    .all()
    .map((row) => String(row['integrity_check']));
  return found.filter((text) => text !== 'ok').map((text) => `the database is inconsistent, so a search may miss records or show others: ${text}`);
}

function signedOf(row: Record<string, SQLOutputValue>): Signed {
  return { text: String(row['text']), signature: String(row['signature']) };
}

const REPORT_EVERY = 10_000;

function* records(db: DatabaseSync, from: ReadonlyMap<string, number>, onRecord: (count: number) => void): Generator<LedgerRecord> {
  const all = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq >= ? ORDER BY seq`);
  all.setReadBigInts(true);
  let count = 0;
  for (const { node } of db.prepare('SELECT DISTINCT node FROM records ORDER BY node').all()) {
    // A number below the first one would be an addition too.
    for (const row of all.iterate(String(node), from.get(String(node)) ?? Number.MIN_SAFE_INTEGER)) {
      count += 1;
      if (count % REPORT_EVERY === 0) onRecord(count);
      yield recordOfRow(row);
    }
  }
}
