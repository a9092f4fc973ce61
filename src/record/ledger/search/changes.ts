// The records that were written after a place, for a reader that follows the ledger.
import { EVERY_RECORD } from '../../../contract/record-reader.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import type { Changes, LedgerReader } from '../query.ts';
import { exactNames, withIds } from './names.ts';
import { ownNames } from './page.ts';
import { withPrincipals } from './principals.ts';
import type { ChangesQuestion } from './questions.ts';
import { createRecordFilter } from './record-filter.ts';

/** Throws as `LedgerSearch.ask` does. */
export async function changesAfter(ledger: LedgerReader, question: ChangesQuestion, covered: VisibleIds): Promise<Changes> {
  const { filter, after, seesNames = false, reader = EVERY_RECORD } = question;
  const own = createRecordFilter(reader, covered);
  const names = reader.everything ? (seesNames ? ledger.events : exactNames(ledger.events)) : await ownNames(ledger.events, filter, own);
  const from = typeof after === 'number' ? after : ledger.numberOf(after);
  const { records, number } = ledger.changes(withPrincipals(ledger, withIds(names, filter)), from);
  return { records: await own.visible(records), number };
}
