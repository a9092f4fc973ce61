// Filters Prefect's answer to a mediated request for the principal that gets it, in named steps.
import type { EdgeInputs } from '../../contract/inputs.ts';
import { field } from '../../contract/json/tree.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { AnswerContext, Plan, Refusal, Requester } from './handler.ts';
import type { Narrowed } from './lists/narrowed.ts';
import type { MediatorParts } from './parts.ts';

export interface AnswerParts {
  readonly parts: Pick<MediatorParts, 'decider' | 'upstream' | 'clock' | 'warn'>;
  readonly inputs: EdgeInputs;
  readonly plan: Plan;
  readonly authorization: Requester;
}

/** Prefect's answer, and how the principal's scopes narrow it. */
export interface ScopedAnswer extends Pick<Extract<Narrowed, { ok: true; forward: true }>, 'reply' | 'screen'> {
  readonly answer: UpstreamAnswer;
}

type Step = (answer: UpstreamAnswer) => Promise<UpstreamAnswer | Refusal>;

export async function filterAnswer(filtering: AnswerParts, scoped: ScopedAnswer): Promise<UpstreamAnswer | Refusal> {
  let { answer } = scoped;
  for (const [name, step] of stepsOf(filtering, scoped)) {
    const next = await step(answer);
    if ('code' in next) {
      filtering.parts.warn?.(`an answer of Prefect was withheld at the step "${name}"`, next.code);
      return next;
    }
    answer = next;
  }
  return answer;
}

/** The order matters: a run that the worker does not get has no token, and screening sees only the objects that remain. */
function stepsOf(filtering: AnswerParts, { reply, screen }: ScopedAnswer): readonly (readonly [name: string, step: Step])[] {
  const { parts, inputs, plan, authorization } = filtering;
  const context: AnswerContext = { authorize: (asks) => parts.decider.authorizeNow(inputs, asks), nowMs: parts.clock() };
  return [
    ['narrow to scopes', orRefusal(async (answer) => reply?.(answer))],
    // Prefect has acted: when this fails, the outcome is unknown.
    ['settle', async (answer) => (await plan.settle?.(answer, authorization)) ?? answer],
    ['leave out foreign replayed runs', orRefusal((answer) => withoutForeignRuns(filtering, answer))],
    ['narrow to what the principal may see', orRefusal(async (answer) => plan.narrowAnswer?.(answer, context))],
    ['screen', orRefusal(async (answer) => screen?.(answer))],
  ];
}

/** Returns the same answer when the step is undefined. An outage of Prefect becomes a refusal. */
function orRefusal(step: (answer: UpstreamAnswer) => Promise<UpstreamAnswer | Refusal | undefined>): Step {
  return async (answer) => (await step(answer).catch(outageRefusal)) ?? answer;
}

/** Prefect may answer 500 to a client's own filter, or may have acted already. So the client must not wait and repeat the request. */
export function outageRefusal(error: unknown): Refusal {
  if (error instanceof UpstreamError) return { code: error.reason };
  throw error;
}

async function withoutForeignRuns(filtering: AnswerParts, answer: UpstreamAnswer): Promise<UpstreamAnswer | Refusal> {
  const { replayed } = filtering.plan;
  const runs = [...new Set(replayed?.runs(answer) ?? [])];
  const hidden = await Promise.all(runs.map(async (id) => ((await mayRead(filtering, id)) ? [] : [id])));
  const foreign = new Set(hidden.flat());
  return replayed === undefined || foreign.size === 0 ? answer : replayed.without(answer, foreign);
}

async function mayRead({ parts, inputs }: AnswerParts, id: string): Promise<boolean> {
  const answer = await parts.decider.authorizeNow(inputs, [{ action: 'flow_runs.read', resource: { type: 'FlowRun', id } }]);
  if (answer.ok && answer.restrictions.length === 0) return true;
  // Bulk answers do not distinguish a new run from a replayed one. Only Lictor writes this label: it names the request that created the run.
  const run = id === '' ? null : await createLookup(parts.upstream)(`/api/flow_runs/${id}`);
  return field(field(run, 'labels'), 'lictor.request_id') === inputs.requestId;
}
