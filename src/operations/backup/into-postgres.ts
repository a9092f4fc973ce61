// Moves an unpacked backup into a Postgres store: its rows, the ledger's key, and the records of all nodes, so that each node gets its own chain back.
import { rmSync } from 'node:fs';
import { openKeys } from '../../app/share-keys.ts';
import { statePaths } from '../../config/state-dir.ts';
import { systemClock } from '../../contract/clock.ts';
import type { PostgresAddress } from '../../contract/store-address.ts';
import { openLocalLedger } from '../../record/replication/local-ledger.ts';
import { createShipper } from '../../record/replication/ship.ts';
import { copyToPostgres } from '../../store/copy-to-postgres.ts';
import { openStore, type Store } from '../../store/store.ts';

/** The rows in one transaction, then the records. Throws `store-in-use` and the errors of Postgres. */
export async function moveIntoPostgres(into: string, at: PostgresAddress): Promise<void> {
  const { storeFile, ledgerFile, ledgerKey, ...keys } = statePaths(into, into);
  await copyToPostgres({ from: storeFile, to: at, former: 'replaced', onProgress: () => undefined });
  const store = await openStore({ at, clock: systemClock });
  try {
    const { shareFile } = await openKeys(at, store.sharedKeys, keys);
    await shareFile('ledger.pem', ledgerKey, () => undefined);
    await shipAll(ledgerFile, store);
  } finally {
    await store.close();
  }
  for (const end of ['', '-wal', '-shm']) rmSync(`${storeFile}${end}`, { force: true });
}

/** The head of the restored ledger signs every chain. */
async function shipAll(ledgerFile: string, { ledgerShelf: shelf }: Store): Promise<void> {
  const ledger = openLocalLedger(ledgerFile);
  try {
    for (const { node } of ledger.head()?.statement.chains ?? []) await createShipper({ node, ledger, shelf, toDisk: () => undefined }).ship();
  } finally {
    ledger.close();
  }
}
