// A timeline page by page, and what was written since. Each answer reads a bounded number of records.
import { LictorError } from '../../../contract/error.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { LedgerReader } from '../../ledger/query.ts';
import { exactNames, idOfNamed } from '../../ledger/search/names.ts';
import { gatherTimeline, type Sources } from '../gather.ts';
import { shortTime } from '../task-runs.ts';
import { flatten } from '../timeline.ts';
import { changes } from './changes.ts';
import { type Cursor, cursorText } from './cursor.ts';
import { collect, FIRST_RECORDS, headOf, type TimelinePage } from './head.ts';
import { rowOf } from './row.ts';

export interface TimelineQuestion {
  /** The id of the flow run, or its exact name. */
  readonly run: string;
  readonly seesNames: boolean;
  /** Undefined: the first page. */
  readonly cursor: Cursor | undefined;
  readonly most: number;
}

/** Throws LictorError `name-unknown`, and `run-unknown` if neither the ledger nor Prefect knows the run. */
export async function timelinePage({ reader, prefect }: Sources, { run, cursor, most, seesNames }: TimelineQuestion): Promise<TimelinePage> {
  const id = idOfNamed(seesNames ? reader.events : exactNames(reader.events), 'flow-run', run);
  if (cursor?.kind === 'live') return changes({ reader, prefect }, { id, marks: cursor.marks, most, seesNames });
  const marks = cursor?.marks ?? reader.runs.marks();
  const place = { time: cursor?.time ?? '', skip: cursor?.skip ?? 0 };
  const { gathered, whole, horizon } = await readWhole({ reader, prefect }, id, place, most);
  if (whole.length === 0 && cursor === undefined && gathered.answer.found !== 'yes') throw new LictorError('run-unknown', `No flow run ${id} is known.`);
  const next = placeAfter(
    whole.map(({ entry }) => entry.time),
    place.skip + most,
    horizon,
  );
  return {
    run: await headOf(reader, gathered, seesNames),
    rows: whole.slice(place.skip, place.skip + most).map((entry) => rowOf(entry, seesNames)),
    next: next === null ? null : cursorText({ kind: 'page', ...next, marks }),
    live: cursorText({ kind: 'live', marks }),
  };
}

interface Place {
  readonly time: string;
  readonly skip: number;
}

/** Rows from the place on. Before the horizon, none is missing. Null: nothing comes after. */
async function readWhole({ reader, prefect }: Sources, id: string, { time, skip }: Place, most: number) {
  for (let read = skip + most + 1; ; read *= 2) {
    const window = openWindow(reader, time, read);
    const gathered = await gatherTimeline({ reader: window.reader, prefect }, id);
    const horizon = window.horizon();
    const whole = flatten(gathered.timeline).filter(({ entry }) => entry.time >= time && (horizon === null || entry.time < horizon));
    if (whole.length > skip || horizon === null) return { gathered, whole, horizon };
  }
}

/** Reads of each run its first records, its states, and from `since` on `read` records and as many events of task runs. */
function openWindow(reader: LedgerReader, since: string, read: number): { readonly reader: LedgerReader; horizon(): string | null } {
  let horizon: string | null = null;
  const endAt = (time: string | null | undefined): void => {
    if (time != null && (horizon === null || time < horizon)) horizon = time;
  };
  const forFlowRun = async (flowRun: string): Promise<readonly LedgerRecord[]> => {
    const first = await collect(reader, { flowRun, limit: FIRST_RECORDS, until: since });
    const rest = await collect(reader, { flowRun, limit: read, since });
    if (rest.length === read) endAt(rest.at(-1)?.time);
    return [...first, ...rest];
  };
  const eventsOf = (flowRun: string): readonly PrefectEvent[] => {
    const { ids, readTo } = reader.runs.tasksFrom(flowRun, since, read);
    endAt(readTo === null ? null : shortTime(readTo));
    return reader.runs.eventsOf(flowRun, ids);
  };
  return { reader: { ...reader, forFlowRun, events: { ...reader.events, forFlowRun: eventsOf } }, horizon: () => horizon };
}

function placeAfter(times: readonly string[], sent: number, horizon: string | null): Place | null {
  const time = times[sent];
  if (time !== undefined) return { time, skip: sent - times.indexOf(time) };
  return horizon === null ? null : { time: horizon, skip: 0 };
}
