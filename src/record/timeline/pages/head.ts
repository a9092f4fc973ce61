// The run at the top of a timeline, and the form of a page.
import type { LedgerRecord } from '../../../contract/record.ts';
import type { AuditFilter, LedgerReader } from '../../ledger/query.ts';
import { type Cancellation, findCancellation } from '../cancellation.ts';
import type { Gathered } from '../gather.ts';
import type { Start } from '../start.ts';
import type { TimelineRow } from './row.ts';

export interface RunHead {
  readonly id: string;
  readonly name: string | null;
  readonly state: string | null;
  readonly started_by: Start;
  /** Null: the ledger has no request that cancelled it. */
  readonly cancelled_by: Cancellation | null;
  /** Whether Prefect knows the run. `unknown`: it did not answer. */
  readonly prefect: 'yes' | 'no' | 'unknown';
  /** Of all entries. Null: there is none. */
  readonly first_at: string | null;
  readonly last_at: string | null;
}

export interface TimelinePage {
  /** Null: nothing about the run itself has changed. */
  readonly run: RunHead | null;
  readonly rows: readonly TimelineRow[];
  /** The cursor of the next page, which exists now. Null: this was the last one. */
  readonly next: string | null;
  /** The cursor of what is written after this answer. */
  readonly live: string;
}

/** These contain the creation of a run. */
export const FIRST_RECORDS = 20;
/** These contain the last request that cancelled a run: its worker reports the end once or twice. */
export const LAST_CANCELS = 50;

export async function headOf(reader: LedgerReader, { timeline, answer }: Gathered, seesNames: boolean): Promise<RunHead> {
  const { id, name, state, start, entries } = timeline;
  const [last] = await collect(reader, { flowRun: id, last: 1 });
  const cancelled_by = findCancellation(reader.runs.cancels(id, LAST_CANCELS));
  const ends = [last?.time, entries.at(-1)?.time].filter((time) => time !== undefined).sort();
  return {
    ...{ id, state, name: seesNames ? name : null, started_by: seesNames ? start : withoutNames(start), prefect: answer.found },
    ...{ cancelled_by, first_at: entries[0]?.time ?? null, last_at: ends.at(-1) ?? null },
  };
}

function withoutNames(start: Start): Start {
  const { by, parent } = start;
  return {
    ...start,
    by: by === null ? null : { ...by, name: null },
    parent: parent === null ? null : { ...parent, name: null, start: withoutNames(parent.start) },
  };
}

export async function collect(reader: Pick<LedgerReader, 'audit'>, filter: AuditFilter): Promise<readonly LedgerRecord[]> {
  const found: LedgerRecord[] = [];
  for await (const record of reader.audit(filter)) found.push(record);
  return found;
}
