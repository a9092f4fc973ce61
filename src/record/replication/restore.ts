// Before a node starts: brings back its own records that the store has and its ledger lacks, after a lost disk or from an older copy.
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { LedgerShelf } from '../../store/ledger-shelf.ts';
import { createChain } from '../ledger/chain/chain.ts';
import { createImport } from '../ledger/chain/import.ts';
import { openLedgerDatabase, transaction } from '../ledger/database.ts';
import { endOf, openLocalLedger } from './local-ledger.ts';
import { createPull } from './pull.ts';

export interface RestoreParts {
  readonly ledgerFile: string;
  readonly ledgerKey: string;
  readonly node: string;
  readonly shelf: LedgerShelf;
}

/** Call it while nothing else writes the ledger. Rejects with `replication-refused` if the store has another chain of this name. */
export async function restoreOwnChain({ ledgerFile, ledgerKey, node, shelf }: RestoreParts): Promise<void> {
  const head = await shelf.headOf(node);
  if (head === undefined) return;
  using db = openLedgerDatabase(ledgerFile);
  const chain = createChain({ db, node, keyFile: ledgerKey, clock: systemClock });
  const importRows = createImport(db, chain);
  const ledger = openLocalLedger(ledgerFile);
  try {
    const pull = createPull({
      ledger,
      shelf,
      importRows: async (batch) =>
        transaction(db, () => {
          importRows(batch);
          chain.seal();
        }),
    });
    await pull(head).catch((error: unknown) => {
      throw withRemedy(error, node);
    });
    await removeUnsigned(node, ledger.head()?.statement, shelf);
  } finally {
    ledger.close();
  }
}

function withRemedy(error: unknown, node: string): unknown {
  if (!(error instanceof LictorError) || error.code !== 'replication-refused') return error;
  const remedy = `The store has a ledger of a node ${node} already: give this node another host name, or restore the state directory of that one.`;
  return new LictorError(error.code, `${error.message} ${remedy}`, { cause: error });
}

/** The node died while it added a long part: its last records in the store have no head, so they prove nothing. */
async function removeUnsigned(node: string, statement: Parameters<typeof endOf>[0] | undefined, shelf: LedgerShelf): Promise<void> {
  const own = statement === undefined ? undefined : endOf(statement, node);
  const end = await shelf.endOf(node);
  if (own !== undefined && end !== undefined && end.seq > own.seq) await shelf.removeAfter(node, own.seq);
}
