// After Prefect has applied a write: Lictor drops its cached objects, and stores the creators of new ones and the holders of leases.
import type { ActionName } from '../../contract/operation.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { ObjectCache } from '../../prefect/client/object-cache.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { KnownFlows } from '../../store/known-flows.ts';
import type { Leases } from '../../store/leases.ts';
import type { Makers } from '../../store/makers.ts';
import { hasScopes } from '../decide/rule.ts';
import { storeLease } from './concurrency-slots.ts';
import { type Call, ownResource, type Plan } from './handler.ts';

export interface AfterWriteParts {
  readonly objects: Pick<ObjectCache, 'forget'>;
  readonly makers: Pick<Makers, 'put' | 'forget'>;
  readonly knownFlows: Pick<KnownFlows, 'put'>;
  readonly leases: Pick<Leases, 'put' | 'ends'>;
  readonly warn?: (message: string, error: unknown) => void;
}

export interface AppliedWrite {
  readonly call: Call;
  readonly plan: Plan;
  readonly answer: UpstreamAnswer;
  readonly creator: Principal;
}

/** Frequent writes of fields that no scope reads. */
const KEEP_CACHE = ['flow_runs.set_state', 'task_runs.set_state', 'logs.', 'concurrency.slots', 'concurrency.lease', 'worker.poll'] as const;

/** Later decisions must not use the object before the write. Scopes with `own` need the creators. */
export async function afterWrite(parts: AfterWriteParts, { call, plan, answer, creator }: AppliedWrite): Promise<void> {
  const { operation } = call;
  if (answer.status >= 300) return;
  if (!KEEP_CACHE.some((action) => operation.action.startsWith(action))) parts.objects.forget();
  await warnOnFailure(parts, storeLease(parts.leases, { call, answer, creator }));
  if (CREATES_RUNS.includes(operation.action)) return storeCreator(parts, runsOf(plan, answer), creator);
  const object = answerObject(answer);
  const id = operation.resource === 'WorkPool' ? (textField(object, 'name') ?? ownResource(call).id) : textField(object, 'id');
  if (id === null || operation.resource === 'FlowRun') return;
  if (operation.action === 'flows.register') await storeKnownFlow(parts, id, creator);
  if (answer.status === 201 && operation.idParam === null) await warnOnFailure(parts, parts.makers.put(operation.resource, id, creator.id));
  if (operation.method === 'DELETE') await warnOnFailure(parts, parts.makers.forget(operation.resource, id));
}

/** For each principal of the chain: its own right to use the flow depends on it. */
async function storeKnownFlow(parts: AfterWriteParts, flow: string, creator: Principal): Promise<void> {
  for (const { id } of chainOf(creator).filter(hasScopes)) await warnOnFailure(parts, parts.knownFlows.put(id, flow));
}

const CREATES_RUNS: readonly ActionName[] = ['deployments.run', 'flow_runs.create'];

/** A label of each run names its creator, but a list of `own` runs cannot filter by it. Few principals have such a scope. */
async function storeCreator(parts: AfterWriteParts, runs: readonly string[], { id, grants }: Principal): Promise<void> {
  if (!grants.some(({ scope }) => scope?.own === true)) return;
  for (const run of runs) await warnOnFailure(parts, parts.makers.put('FlowRun', run, id));
}

function runsOf({ outcome }: Plan, answer: UpstreamAnswer): readonly string[] {
  const { record, items = [] } = outcome?.(answer) ?? { record: {} };
  return [record, ...items].flatMap(({ flow_run_id: id }) => (typeof id === 'string' ? [id] : []));
}

async function warnOnFailure(parts: AfterWriteParts, writing: Promise<void>): Promise<void> {
  await writing.catch((error: unknown) => parts.warn?.('the creator of an object or the holder of a lease could not be stored', error));
}
