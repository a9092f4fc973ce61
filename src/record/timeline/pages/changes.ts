// What was written about a run and the runs below it since the last answer. A row that changed comes again with its key.
import type { LedgerReader } from '../../ledger/query.ts';
import type { Marks, NumberedRecord, Touched } from '../../ledger/run-facts.ts';
import { DEEPEST, type Gathered, gatherTimeline, MOST_RUNS, type Sources } from '../gather.ts';
import type { NestedEntry, TimelineEntry } from '../timeline.ts';
import { cursorText } from './cursor.ts';
import { collect, FIRST_RECORDS, headOf, type TimelinePage } from './head.ts';
import { rowOf } from './row.ts';

/** One answer reads at most this many events of all runs. */
const MOST_EVENTS = 50_000;

interface Question {
  readonly id: string;
  readonly marks: Marks;
  readonly most: number;
  readonly seesNames: boolean;
}

export async function changes(sources: Sources, { id, marks, most, seesNames }: Question): Promise<TimelinePage> {
  const { runs, events } = sources.reader;
  const now = runs.marks();
  const event = Math.min(now.event, marks.event + MOST_EVENTS);
  const below = runsBelow(events, id);
  const records = runs.recordsAfter(marks.record, [...below.keys()], most);
  const touched = runs.touchedBetween(marks.event, event, [...below.keys()]);
  const written = new Set([...records.map(({ record }) => record.flow_run_id), ...touched.map(({ flowRunId }) => flowRunId)]);
  const changed = [...below].filter(([run]) => written.has(run));
  const found = await Promise.all(changed.map(([run, place]) => changedRun(sources, { id: run, place, records, touched })));
  const root = found.find(({ gathered }) => gathered.timeline.id === id);
  const read: Marks = { record: records.length === most ? (records.at(-1)?.n ?? now.record) : now.record, event };
  const live = cursorText({ kind: 'live', marks: read });
  return {
    run: root === undefined ? null : await headOf(sources.reader, root.gathered, seesNames),
    rows: found.flatMap(({ entries }) => entries).map((entry) => rowOf(entry, seesNames)),
    next: read.record < now.record || read.event < now.event ? live : null,
    live,
  };
}

interface Place {
  readonly depth: number;
  /** Null: the run that was asked about. */
  readonly parent: string | null;
}

function runsBelow(events: LedgerReader['events'], id: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>([[id, { depth: 0, parent: null }]]);
  for (const [run, { depth }] of places) {
    if (depth >= DEEPEST) continue;
    const children = events.childrenOf(run).filter((child) => !places.has(child));
    for (const child of children) if (places.size < MOST_RUNS) places.set(child, { depth: depth + 1, parent: run });
  }
  return places;
}

interface ChangedRun {
  readonly id: string;
  readonly place: Place;
  readonly records: readonly NumberedRecord[];
  readonly touched: readonly Touched[];
}

interface Changed {
  readonly gathered: Gathered;
  readonly entries: readonly NestedEntry[];
}

async function changedRun({ reader, prefect }: Sources, { id, place, records, touched }: ChangedRun): Promise<Changed> {
  const fresh = records.flatMap(({ record }) => (record.flow_run_id === id ? [record] : []));
  const known = new Set(fresh.map((record) => record.id));
  const first = (await collect(reader, { flowRun: id, limit: FIRST_RECORDS })).filter((record) => !known.has(record.id));
  const events = reader.runs.eventsOf(
    id,
    touched.flatMap(({ flowRunId, taskRunId }) => (flowRunId === id && taskRunId !== null ? [taskRunId] : [])),
  );
  const inOrder = [...first, ...fresh].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const narrowed = { ...reader, forFlowRun: async () => inOrder, events: { ...reader.events, forFlowRun: () => events, childrenOf: () => [] } };
  const gathered = await gatherTimeline({ reader: narrowed, prefect: { ...prefect, childrenOf: async () => [] } }, id);
  const isChanged = (entry: TimelineEntry): boolean => (entry.kind === 'gateway' ? place.depth === 0 : !('record' in entry) || known.has(entry.record.id));
  const entries = gathered.timeline.entries.filter(isChanged).map((entry): NestedEntry => ({ entry, depth: place.depth, flowRunId: id }));
  return { gathered, entries: [...runEntry(gathered, place), ...entries] };
}

function runEntry({ timeline }: Gathered, { depth, parent }: Place): readonly NestedEntry[] {
  if (parent === null) return [];
  return [{ entry: { kind: 'run', time: timeline.entries[0]?.time ?? '', timeline }, depth: depth - 1, flowRunId: parent }];
}
