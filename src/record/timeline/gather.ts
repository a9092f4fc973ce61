// Gathers all facts about a run and the runs around it: from the ledger, the stored events, and Prefect.
import { isFlowRunState, type PrefectEvent } from '../../contract/prefect-event.ts';
import { type LedgerRecord, wasForwarded } from '../../contract/record.ts';
import type { LedgerReader } from '../ledger/query.ts';
import type { PrefectAnswer, PrefectRun } from './prefect-run.ts';
import type { PrefectSource } from './prefect-source.ts';
import { findStart, makerOf, type ParentRun } from './start.ts';
import { buildTimeline, type Timeline } from './timeline.ts';

export interface Sources {
  readonly reader: LedgerReader;
  readonly prefect: PrefectSource;
}

export interface Gathered {
  readonly timeline: Timeline;
  readonly answer: PrefectAnswer;
}

export const DEEPEST = 5;
export const MOST_RUNS = 100;
/** The gateway's events up to this long after the run's last entry belong to its time: Lictor notices a gap late. */
const AFTERWARDS_MS = 3_600_000;

export async function gatherTimeline(sources: Sources, id: string): Promise<Gathered> {
  const seen = new Set([id]);
  const { timeline, answer } = await gatherRun(sources, id, { seen, depth: 0 });
  return { timeline, answer };
}

/** Who started a run, without asking Prefect. */
export async function gatherStart(sources: Sources, id: string): Promise<Timeline['start']> {
  const facts = await factsOf(sources, id);
  return findStart({ run: null, ...facts, ...(await originOf(sources, { run: null, ...facts })) });
}

interface Place {
  /** Runs that have an entry already: a cycle ends here. */
  readonly seen: Set<string>;
  readonly depth: number;
}

async function gatherRun(sources: Sources, id: string, place: Place): Promise<Gathered> {
  const { reader, prefect } = sources;
  const [facts, answer] = await Promise.all([factsOf(sources, id), prefect.run(id)]);
  const { run, states } = answer.found === 'yes' ? answer : { run: null, states: [] };
  const gatewayEvents = place.depth === 0 ? await gatewayEventsOf(reader, facts) : [];
  const children = await gatherChildren(sources, id, place);
  const around = await originOf(sources, { run, ...facts });
  return { timeline: buildTimeline({ id, run, states, ...facts, gatewayEvents, children, ...around }), answer };
}

interface Facts {
  readonly records: readonly LedgerRecord[];
  readonly events: readonly PrefectEvent[];
}

async function factsOf({ reader }: Sources, id: string): Promise<Facts> {
  return { records: await reader.forFlowRun(id), events: reader.events.forFlowRun(id) };
}

async function gatherChildren(sources: Sources, id: string, { seen, depth }: Place): Promise<readonly Timeline[]> {
  if (depth >= DEEPEST) return [];
  const ids = new Set([...sources.reader.events.childrenOf(id), ...(await sources.prefect.childrenOf(id))]);
  const found: Timeline[] = [];
  for (const child of ids) {
    if (seen.has(child) || seen.size >= MOST_RUNS) continue;
    seen.add(child);
    found.push((await gatherRun(sources, child, { seen, depth: depth + 1 })).timeline);
  }
  return found;
}

type Around = Pick<Parameters<typeof findStart>[0], 'parent' | 'madeBy'>;

/** The run that started this one, and the maker of its automation. */
async function originOf(sources: Sources, { run, events }: Facts & { readonly run: PrefectRun | null }, depth = 0): Promise<Around> {
  const maker = makerOf(run, events);
  const madeBy = maker?.route === 'automation' && maker.by !== null ? await makerInLedger(sources.reader, maker.by.id) : null;
  const task = run?.parentTaskRunId ?? events.find((event) => isFlowRunState(event) && event.parent_task_run_id !== null)?.parent_task_run_id ?? null;
  if (task === null || depth >= DEEPEST) return { parent: null, madeBy };
  const parentId = sources.reader.events.flowRunOfTask(task) ?? (await sources.prefect.flowRunOfTask(task));
  return { parent: parentId === undefined ? null : await parentRun(sources, parentId, depth + 1), madeBy };
}

async function parentRun(sources: Sources, id: string, depth: number): Promise<ParentRun> {
  const [facts, answer] = await Promise.all([factsOf(sources, id), sources.prefect.run(id)]);
  const run = answer.found === 'yes' ? answer.run : null;
  const start = findStart({ run, ...facts, ...(await originOf(sources, { run, ...facts }, depth)) });
  const name = run?.name ?? facts.events.find(({ resource_id: resource }) => resource === `prefect.flow-run.${id}`)?.resource_name ?? null;
  return { flow_run_id: id, name, start };
}

async function makerInLedger(reader: LedgerReader, automation: string): Promise<string | null> {
  for await (const record of reader.audit({ resource: automation, action: 'automations.*' })) {
    const { method, status, principal } = record;
    if (!wasForwarded(record)) continue;
    if (method === 'POST' && status === 201) return principal;
  }
  return null;
}

async function gatewayEventsOf(reader: LedgerReader, { records, events }: Facts): Promise<readonly LedgerRecord[]> {
  const times = [records[0]?.time, records.at(-1)?.time, events[0]?.occurred, events.at(-1)?.occurred].filter((time) => time !== undefined).sort();
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return [];
  return reader.gatewayEvents(first, new Date(Date.parse(last) + AFTERWARDS_MS).toISOString());
}
