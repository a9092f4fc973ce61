// The runs that the ledger has seen, the newest first, each with who started it.
import type { LedgerReader } from '../../ledger/query.ts';
import type { RunsQuestion, SeenRun } from '../../ledger/run-facts.ts';
import { type Cancellation, findCancellation } from '../cancellation.ts';
import { gatherStart } from '../gather.ts';
import { noPrefect } from '../prefect-source.ts';
import type { Start } from '../start.ts';
import { collect, FIRST_RECORDS, LAST_CANCELS } from './head.ts';

export interface RecentRun {
  readonly id: string;
  readonly name: string | null;
  readonly deployment_id: string | null;
  readonly deployment: string | null;
  readonly flow: string | null;
  readonly state: string | null;
  readonly state_type: string | null;
  /** When it was last seen. */
  readonly seen_at: string;
  readonly route: Start['route'];
  readonly principal: string | null;
  readonly on_behalf_of: readonly string[];
  /** Null: the ledger has no request that cancelled it. */
  readonly cancelled_by: Cancellation | null;
}

export interface RecentRuns {
  readonly runs: readonly RecentRun[];
  readonly before: string | null;
}

export interface RecentQuestion extends RunsQuestion {
  readonly seesNames: boolean;
  /** Runs with exactly this name come first, beside the page: what the page says of the next one does not depend on them. */
  readonly named: string | null;
}

/** A search for a rare name reads this many parts of the ledger at once. */
const MOST_PAGES = 5;
const MOST_NAMED = 200;
/** What a reader with limits reads at once, however few it asks for: the place of the next page must not count the runs of others. */
const LIMITED_PAGE = 200;

/** Of these runs, those that the reader sees. */
export type Seeing = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

/** `seeing` undefined: the reader sees every run. */
export async function recentRuns(reader: LedgerReader, question: RecentQuestion, seeing?: Seeing): Promise<RecentRuns> {
  const seen: SeenRun[] = [];
  const named = await seenOf(question.named === null ? [] : runsNamed(reader, question.named, question.state), seeing);
  let before: string | null = question.before;
  for (let pages = 0; pages < MOST_PAGES && before !== null && seen.length < question.most; pages += 1) {
    const page = reader.runs.seenBefore({ ...question, before, most: seeing === undefined ? question.most - seen.length : LIMITED_PAGE });
    seen.push(...(await seenOf(page.runs, seeing)));
    before = page.before;
  }
  const page = seeing === undefined ? { seen, before } : cut(seen, before, question.most);
  const others = page.seen.filter(({ id }) => named.every((one) => one.id !== id));
  return { runs: await Promise.all([...named, ...others].map((run) => describe(reader, run, question.seesNames))), before: page.before };
}

async function seenOf(runs: readonly SeenRun[], seeing: Seeing | undefined): Promise<readonly SeenRun[]> {
  if (seeing === undefined || runs.length === 0) return runs;
  const ids = await seeing(runs.map(({ id }) => id));
  return runs.filter(({ id }) => ids.has(id));
}

/** Runs of one time stay together, as in a page of the ledger. The next page begins at a time of a run that the reader sees. */
function cut(seen: readonly SeenRun[], before: string | null, most: number): { readonly seen: readonly SeenRun[]; readonly before: string | null } {
  const over = seen[most]?.time;
  if (over === undefined) return { seen, before };
  const whole = seen.filter(({ time }) => time > over);
  if (whole.length > 0) return { seen: whole, before: `${over}~` };
  const together = seen.filter(({ time }) => time === over);
  return { seen: together, before: together.length < seen.length || before !== null ? over : null };
}

function runsNamed({ events, runs }: LedgerReader, name: string, state: string): readonly SeenRun[] {
  return events
    .named('flow-run', name)
    .slice(0, MOST_NAMED)
    .flatMap(({ id }) => {
      const event = runs.eventsOf(id, []).findLast(({ resource_id, state_type }) => resource_id === `prefect.flow-run.${id}` && state_type !== null);
      if (event === undefined || (state !== '' && event.state_type !== state)) return [];
      return [{ id, time: event.occurred, event, deploymentId: event.deployment_id }];
    });
}

async function describe(reader: LedgerReader, { id, time, event, deploymentId }: SeenRun, seesNames: boolean): Promise<RecentRun> {
  const few = { ...reader, forFlowRun: (flowRun: string) => collect(reader, { flowRun, limit: FIRST_RECORDS }), events: eventsOfRuns(reader) };
  const { route, principal, on_behalf_of } = await gatherStart({ reader: few, prefect: noPrefect('not asked') }, id);
  const nameOf = (role: string): string | null => (seesNames ? (event?.related.find((one) => one.role === role)?.name ?? null) : null);
  return {
    ...{ id, name: seesNames ? (event?.resource_name ?? null) : null, deployment_id: deploymentId },
    ...{ deployment: nameOf('deployment'), flow: nameOf('flow'), state: event?.state_name ?? null, state_type: event?.state_type ?? null },
    ...{ seen_at: new Date(Date.parse(time)).toISOString(), route, principal, on_behalf_of },
    cancelled_by: findCancellation(reader.runs.cancels(id, LAST_CANCELS)),
  };
}

/** Who started a run does not depend on its task runs. */
function eventsOfRuns({ runs, events }: LedgerReader): LedgerReader['events'] {
  return { ...events, forFlowRun: (id) => runs.eventsOf(id, []) };
}
