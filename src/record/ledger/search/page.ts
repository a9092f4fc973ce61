// One page of the ledger: for a reader of everything, or for one with limits, whose search reads a bounded number of records.
import type { ResourceType } from '../../../contract/operation.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVERY_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import type { NamedKind } from '../prefect-events/read-events.ts';
import type { AuditFilter, LedgerReader } from '../query.ts';
import { exactNames, type Names, unknownWords, withIds } from './names.ts';
import { withPrincipals } from './principals.ts';
import type { Page, PageFilter, PageQuestion } from './questions.ts';
import { createRecordFilter, type RecordFilter } from './record-filter.ts';

/** The most records that one page reads for a reader with limits. Then the caller goes on from there. */
const MOST_READ = 4_000;
const CHUNK = 500;

type Reading = Pick<LedgerReader, 'audit' | 'principals' | 'events'>;

/** Throws as `LedgerSearch.page` does. */
export async function pageOf(ledger: Reading, { filter, seesNames = false, reader = EVERY_RECORD }: PageQuestion, covered: VisibleIds): Promise<Page> {
  if (!reader.everything) return limitedPage(ledger, filter, { reader, covered });
  const names = seesNames ? ledger.events : exactNames(ledger.events);
  const byId = withPrincipals(ledger, withIds(names, filter));
  const records: LedgerRecord[] = [];
  for await (const record of ledger.audit(byId)) records.push(record);
  return { records, unknown: records.length > 0 ? null : ((await unknownWords({ reader: ledger, names }, byId)) ?? null) };
}

/** No hint on what else there is: that would name what the reader may not see. */
async function limitedPage(
  ledger: Reading,
  filter: PageFilter,
  { reader, covered }: { readonly reader: RecordReader; readonly covered: VisibleIds },
): Promise<Page> {
  const own = createRecordFilter(reader, covered);
  const byId: PageFilter = withPrincipals(ledger, withIds(await ownNames(ledger.events, filter, own), filter));
  const { last, limit, ...rest } = byId;
  const scan: AuditFilter = { ...rest, newestFirst: last !== undefined || byId.newestFirst };
  const found = await firstVisible(ledger.audit(scan), own, last ?? limit ?? 0);
  return last === undefined ? found : { ...found, records: found.records.toReversed() };
}

async function firstVisible(all: AsyncIterable<LedgerRecord>, { visible }: RecordFilter, most: number): Promise<Page> {
  const found: LedgerRecord[] = [];
  let chunk: LedgerRecord[] = [];
  let read = 0;
  for await (const record of all) {
    chunk.push(record);
    read += 1;
    if (chunk.length < CHUNK) continue;
    found.push(...(await visible(chunk)));
    chunk = [];
    if (found.length >= most) break;
    if (read >= MOST_READ) return { records: found, unknown: null, stoppedAt: { id: record.id, time: record.time } };
  }
  if (found.length < most) found.push(...(await visible(chunk)));
  return { records: found.slice(0, most), unknown: null };
}

/** The names of the objects that the reader sees, only for an exact name. */
export async function ownNames(events: LedgerReader['events'], { flowRun, deployment }: AuditFilter, { ids }: RecordFilter): Promise<Names> {
  const ownOf = async (kind: NamedKind, type: ResourceType, name: string | undefined) => {
    const named = name === undefined ? [] : events.named(kind, name);
    const seen = await ids(
      type,
      named.map(({ id }) => id),
    );
    return named.filter(({ id }) => seen.has(id));
  };
  const own = { 'flow-run': await ownOf('flow-run', 'FlowRun', flowRun), deployment: await ownOf('deployment', 'Deployment', deployment) };
  return { named: (kind, name) => (name === undefined ? [] : own[kind]) };
}
