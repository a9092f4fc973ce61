// The whole ledger for a backup, and a new ledger from one: it continues the chains, and signs where they were cut.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createRowWriter, readRows, type TableRows } from '../../store/sqlite-rows.ts';
import { createAppend } from './append.ts';
import { createChain } from './chain/chain.ts';
import { openSignedChain } from './chain/open-chain.ts';
import type { Report } from './chain/report.ts';
import { storeEvidence } from './chain/store-evidence.ts';
import { verifyLedger } from './chain/verify.ts';
import { openLedgerDatabase, transaction } from './database.ts';
import { COPIED_TABLES, createTables } from './schema.ts';

type Paths = Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;

export interface LedgerDump extends Disposable {
  /** The key that signed last, in PEM. */
  readonly key: string;
  readonly node: string;
  readonly records: number;
  rows(): Iterable<TableRows>;
}

/** A snapshot of the ledger at this moment, with its key. Throws `ledger-missing`, `ledger-key-invalid` and the other errors of `openToRead`. */
export function openLedgerDump(paths: Paths): LedgerDump {
  const { db, key } = openSignedChain(paths);
  if (key === undefined) {
    db.close();
    throw new LictorError('ledger-key-invalid', `${paths.ledgerKey} is not there: the ledger cannot continue without it. Restore it from an earlier backup.`);
  }
  return {
    key: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    node: nodeOf(db),
    records: Number(db.prepare('SELECT count(*) AS count FROM records').get()?.['count']),
    rows: () => readRows(db, COPIED_TABLES),
    [Symbol.dispose]: () => db.close(),
  };
}

/** Writes the rows of a backup into a new file. Throws the errors of SQLite for rows that do not fit. */
export async function loadLedger({ ledgerFile }: Paths, batches: AsyncIterable<TableRows>): Promise<void> {
  closeSync(openSync(ledgerFile, 'wx', 0o600));
  {
    using db = new DatabaseSync(ledgerFile);
    // Nobody uses the file before it is complete and on the disk.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
    createTables(db);
    const write = createRowWriter(db, COPIED_TABLES);
    for await (const rows of batches) write(rows);
    db.exec('COMMIT');
  }
  const file = openSync(ledgerFile, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** Each record, and each signature. */
export function verifyLoaded(paths: Paths, onRecord: (count: number) => void): Report {
  const { db, key } = openSignedChain(paths);
  using _open = db;
  return verifyLedger(storeEvidence(db, new Map(), onRecord), { publicKeys: key === undefined ? [] : [key.publicKey], onlyCurrent: true, savedHeads: [] });
}

/**
 * A checkpoint signs where the chains were cut, and another key signs from there on: a gateway that still has the former one signs nothing of this ledger.
 * Throws `ledger-altered` if the ledger was changed before the backup.
 */
export function continueRestored({ ledgerFile, ledgerKey }: Paths, records: readonly NewRecord[], clock: Clock): void {
  using db = openLedgerDatabase(ledgerFile);
  const node = nodeOf(db);
  const chain = createChain({ db, node, keyFile: ledgerKey, clock });
  const finish = transaction(db, () => {
    chain.seal('restored');
    const done = chain.changeKey();
    const append = createAppend(db, node, chain);
    for (const record of records) append(record);
    chain.seal();
    return done;
  });
  finish();
}

function nodeOf(db: DatabaseSync): string {
  const named = db.prepare("SELECT value FROM meta WHERE key = 'node'").get()?.['value'];
  return typeof named === 'string' ? named : hostname();
}
