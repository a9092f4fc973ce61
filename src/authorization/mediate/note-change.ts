// What the gateway remembers of a change that Prefect has made: nothing of what was before, and who has made what is new.
import type { ActionName } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { ObjectCache } from '../../prefect/client/object-cache.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { KnownFlows } from '../../store/known-flows.ts';
import type { Leases } from '../../store/leases.ts';
import type { Makers } from '../../store/makers.ts';
import { type Call, ownResource, type Plan } from './family.ts';
import { noteLease } from './leases.ts';

export interface Noting {
  readonly objects: Pick<ObjectCache, 'forget'>;
  readonly makers: Pick<Makers, 'put' | 'forget'>;
  readonly knownFlows: Pick<KnownFlows, 'put'>;
  readonly leases: Pick<Leases, 'put' | 'ends'>;
  readonly warn?: (message: string, error: unknown) => void;
}

export interface Change {
  readonly call: Call;
  readonly plan: Plan;
  readonly answer: UpstreamAnswer;
  readonly maker: Principal;
}

const OFTEN = ['flow_runs.set_state', 'task_runs.set_state', 'logs.', 'concurrency.slots', 'concurrency.lease', 'worker.poll'] as const;

/** Decisions must not rest on what was before; who has made what is asked for by scopes with `own`. */
export async function noteChange(parts: Noting, { call, plan, answer, maker }: Change): Promise<void> {
  const { operation } = call;
  if (answer.status >= 300) return;
  // States of runs, lines of logs, slots and polls come often, and no scope reads them.
  if (!OFTEN.some((action) => operation.action.startsWith(action))) parts.objects.forget();
  await noted(parts, noteLease(parts.leases, { call, answer, maker }));
  if (MAKES_RUNS.includes(operation.action)) return noteRuns(parts, runsOf(plan, answer), maker);
  const object = answerObject(answer);
  const id = operation.resource === 'WorkPool' ? (textField(object, 'name') ?? ownResource(call).id) : textField(object, 'id');
  if (id === null || operation.resource === 'FlowRun') return;
  if (operation.action === 'flows.register' && isScoped(maker)) await noted(parts, parts.knownFlows.put(maker.id, id));
  if (answer.status === 201 && operation.idParam === null) await noted(parts, parts.makers.put(operation.resource, id, maker.id));
  if (operation.method === 'DELETE') await noted(parts, parts.makers.forget(operation.resource, id));
}

const MAKES_RUNS: readonly ActionName[] = ['deployments.run', 'flow_runs.create'];

/** A run says itself who has made it, as a label. Lists of `own` runs cannot ask for that, and few principals have such a scope. */
async function noteRuns(parts: Noting, runs: readonly string[], { id, grants }: Principal): Promise<void> {
  if (!grants.some(({ scope }) => scope?.own === true)) return;
  for (const run of runs) await noted(parts, parts.makers.put('FlowRun', run, id));
}

function runsOf({ outcome }: Plan, answer: UpstreamAnswer): readonly string[] {
  const { record, items = [] } = outcome?.(answer) ?? { record: {} };
  return [record, ...items].flatMap(({ flow_run_id: id }) => (typeof id === 'string' ? [id] : []));
}

function isScoped({ grants }: Principal): boolean {
  return grants.some(({ scope }) => scope !== null);
}

async function noted(parts: Noting, writing: Promise<void>): Promise<void> {
  await writing.catch((error: unknown) => parts.warn?.('who made or took something could not be noted', error));
}
