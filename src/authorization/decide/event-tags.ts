// The guarded tags that an event adds: stock clients repeat the tags of the run, its deployment and its flow in each event, which adds none.
import type { SteadyClock } from '../../contract/clock.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { Principal } from '../../contract/principal.ts';
import { type GuardedTags, mustHoldTags } from '../../contract/scope/guarded.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { tagsIn, tagsOf } from '../../prefect/events/tags.ts';
import { objectsIn } from './event-asks.ts';
import { type HoldsTagParts, ruleOnTag } from './holds-tag.ts';
import { ruleForEach } from './intersection.ts';

/** Stock clients name at most the own flow run and its parent in one event. Tags of further runs do not count. */
const MOST_RUNS = 10;

/** The sender must hold each of these. Lictor looks nothing up for an event without a guarded tag. Throws UpstreamError. */
export async function givenTags(event: JsonValue | undefined, guarded: ReadonlySet<string>, lookup: Lookup): Promise<readonly string[]> {
  const { related, recorded } = tagsIn(event);
  const open = { related: related.filter((tag) => guarded.has(tag)), recorded: recorded.filter((tag) => guarded.has(tag)) };
  if (open.related.length + open.recorded.length === 0) return [];
  const runs = objectsIn(event).flatMap(({ type, id }) => (type === 'FlowRun' && id !== null ? [id] : []));
  const known = await Promise.all([...new Set(runs)].slice(0, MOST_RUNS).map((run) => tagsAround(run, lookup)));
  const own = new Set(known.flatMap((tags) => tags.own));
  const ofFlow = new Set(known.flatMap((tags) => tags.ofFlow));
  return [...new Set([...open.recorded.filter((tag) => !own.has(tag)), ...open.related.filter((tag) => !own.has(tag) && !ofFlow.has(tag))])];
}

/** The sender of the events, as policies see it. */
export interface Sender {
  readonly principal: Principal;
  readonly address: string;
  readonly carrier: string;
}

/** For each event a guarded tag that the sender may not add; null: none. */
export type EventTagGuard = (events: readonly (JsonValue | undefined)[], sender: Sender) => Promise<readonly (string | null)[]>;

export interface EventTagGuardParts extends HoldsTagParts {
  readonly guarded: GuardedTags;
  /** The answers may be some seconds old. */
  readonly lookup: Lookup;
  readonly steady: SteadyClock;
}

/** A new scope takes effect on open sockets after this time. */
const CACHED_MS = 1000;

/** For sockets. A sender that need not hold tags costs nothing. */
export function createEventTagGuard({ guarded, lookup, steady, ...parts }: EventTagGuardParts): EventTagGuard {
  let known: { readonly tags: ReadonlySet<string>; readonly untilMs: number } | undefined;
  return async (events, { principal, ...context }) => {
    if (!mustHoldTags(principal)) return events.map(() => null);
    if (known === undefined || known.untilMs <= steady()) known = { tags: await guarded(), untilMs: steady() + CACHED_MS };
    const { tags } = known;
    const ask = { action: 'events.write', resource: { type: 'Event', id: null } } as const;
    const question = { principal, ask, context: { ...context, facts: {} } };
    const refusedTag = async (event: JsonValue | undefined): Promise<string | null> => {
      for (const tag of await givenTags(event, tags, lookup)) {
        const [ruled] = await ruleForEach(principal, 1, async (each) => [await ruleOnTag(parts, { ...question, principal: each }, tag)]);
        if (ruled?.decision.enforced !== 'allow') return tag;
      }
      return null;
    };
    return Promise.all(events.map(refusedTag));
  };
}

/** Teams share a flow, so its tags in events add none. */
async function tagsAround(run: string, lookup: Lookup): Promise<{ readonly own: readonly string[]; readonly ofFlow: readonly string[] }> {
  const found = await lookup(`/api/flow_runs/${run}`);
  if (!isObject(found)) return { own: [], ofFlow: [] };
  const deployment = await behind(found, 'deployment_id', { path: '/api/deployments/', lookup });
  const flow = await behind(found, 'flow_id', { path: '/api/flows/', lookup });
  return { own: [...tagsOf(found), ...tagsOf(deployment)], ofFlow: tagsOf(flow) };
}

async function behind(run: JsonObject, key: string, { path, lookup }: { readonly path: string; readonly lookup: Lookup }): Promise<JsonValue | null> {
  const id = field(run, key);
  return typeof id === 'string' ? lookup(`${path}${id}`) : null;
}
