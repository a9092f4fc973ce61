// The chain of a ledger that another process may be writing: for reading, and for a change of its key.

import type { DatabaseSync } from 'node:sqlite';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { Clock } from '../../../contract/clock.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { nodeName } from '../node-name.ts';
import { bringToDisk } from '../on-disk.ts';
import { openToRead } from '../open-to-read.ts';
import { createChain } from './chain.ts';
import { findKey, readKey } from './key-file.ts';
import type { SigningKey } from './statement.ts';

type Paths = Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;

/** Opens a snapshot for reading. No power failure takes back what it shows. Close it. Throws the errors of `openToRead`. */
export function openChain(ledgerFile: string, toDisk = bringToDisk): DatabaseSync {
  const db = openToRead(ledgerFile);
  db.exec('BEGIN');
  // A transaction begins with its first read.
  db.prepare('SELECT 1 FROM sqlite_schema').get();
  // A head that is stored elsewhere is compared with the ledger later.
  toDisk(ledgerFile);
  return db;
}

export interface SignedChain {
  readonly db: DatabaseSync;
  /** The key that signed last. If that key is missing, the key in its place, which verification then rejects. Undefined: no key. */
  readonly key: SigningKey | undefined;
}

/** A snapshot with its key. A key change may happen at the same time, so it tries twice. Close it. Throws `ledger-key-invalid` too. */
export function openSignedChain(paths: Paths): SignedChain {
  const { isOwn, ...first } = openWithKey(paths);
  if (isOwn) return first;
  first.db.close();
  return openWithKey(paths);
}

function openWithKey({ ledgerFile, ledgerKey }: Paths): SignedChain & { readonly isOwn: boolean } {
  const db = openChain(ledgerFile);
  try {
    const own = findKey(ledgerKey, String(db.prepare("SELECT value FROM meta WHERE key = 'ledger_key'").get()?.['value']));
    return { db, key: own ?? readKey(ledgerKey), isOwn: own !== undefined };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Another key signs from now on. The running gateway uses it with its next record. */
export function changeLedgerKey({ ledgerFile, ledgerKey }: Paths, clock: Clock): void {
  using db = openLedgerDatabase(ledgerFile);
  const chain = createChain({ db, node: nodeName(db), keyFile: ledgerKey, clock });
  const finish = transaction(db, () => {
    const done = chain.changeKey();
    chain.seal();
    return done;
  });
  finish();
}
