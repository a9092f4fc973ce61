// The chain of a ledger that another process may be writing: to look at, and to change its key.

import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { Clock } from '../../../contract/clock.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { bringToDisk } from '../on-disk.ts';
import { openToRead } from '../open-to-read.ts';
import { createChain } from './chain.ts';
import { findKey, readKey } from './key-file.ts';
import type { SigningKey } from './statement.ts';

type Paths = Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;

/**
 * For reading, as of this moment; the gateway goes on meanwhile, and no power failure takes back what is seen here. Close it.
 * Throws what `openToRead` throws.
 */
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
  /** The one that signed last. Where that is not here, the one in its place, for whoever examines the ledger to find; undefined: there is none. */
  readonly key: SigningKey | undefined;
}

/** The same, with its key, as of one moment: where the key is changed just now, it is looked at once more. Close it. Throws also `ledger-key-invalid`. */
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

/** From here on another key signs; the running gateway takes it up with its next record. */
export function changeLedgerKey({ ledgerFile, ledgerKey }: Paths, clock: Clock): void {
  using db = openLedgerDatabase(ledgerFile);
  const named = db.prepare("SELECT value FROM meta WHERE key = 'node'").get()?.['value'];
  const chain = createChain({ db, node: typeof named === 'string' ? named : hostname(), keyFile: ledgerKey, clock });
  const finish = transaction(db, () => {
    const done = chain.changeKey();
    chain.seal();
    return done;
  });
  finish();
}
