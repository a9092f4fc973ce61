// Filters Prefect's answer to a mediated request for the principal that gets it, in named steps.
import type { EdgeInputs } from '../../contract/inputs.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { withoutForeign } from './earlier.ts';
import type { Asker, Plan, Refusal, Showing } from './family.ts';
import type { Narrowed } from './lists/narrow.ts';
import type { MediatorParts } from './parts.ts';

export interface AnswerParts {
  readonly parts: Pick<MediatorParts, 'decider' | 'upstream' | 'clock' | 'warn'>;
  readonly inputs: EdgeInputs;
  readonly plan: Plan;
  readonly authorization: Asker;
}

/** Prefect's answer, and how the principal's scopes narrow it. */
export interface Answering extends Pick<Extract<Narrowed, { ok: true; forward: true }>, 'reply' | 'screen'> {
  readonly answer: UpstreamAnswer;
}

type Step = (answer: UpstreamAnswer) => Promise<UpstreamAnswer | Refusal>;

export async function filterAnswer(filtering: AnswerParts, answering: Answering): Promise<UpstreamAnswer | Refusal> {
  let { answer } = answering;
  for (const [name, step] of stepsOf(filtering, answering)) {
    const next = await step(answer);
    if ('code' in next) {
      filtering.parts.warn?.(`an answer of Prefect was withheld at the step "${name}"`, next.code);
      return next;
    }
    answer = next;
  }
  return answer;
}

/** In this order: a run that is not handed out gets no token, and what the remaining objects name is screened last. */
function stepsOf({ parts, inputs, plan, authorization }: AnswerParts, { reply, screen }: Answering): readonly (readonly [name: string, step: Step])[] {
  const earlier = { decider: parts.decider, lookup: createLookup(parts.upstream), inputs };
  const showing: Showing = { may: (asks) => parts.decider.authorizeNow(inputs, asks), nowMs: parts.clock() };
  return [
    ['narrow to scopes', orRefusal(async (answer) => reply?.(answer))],
    // Prefect has acted: when this fails, the outcome is unknown.
    ['settle', async (answer) => (await plan.settle?.(answer, authorization)) ?? answer],
    ['leave out foreign earlier runs', orRefusal((answer) => withoutForeign(earlier, plan, answer))],
    ['show', orRefusal(async (answer) => plan.shown?.(answer, showing))],
    ['screen', orRefusal(async (answer) => screen?.(answer))],
  ];
}

/** Leaves the answer as it is where the step is undefined. An outage of Prefect refuses it. */
function orRefusal(step: (answer: UpstreamAnswer) => Promise<UpstreamAnswer | Refusal | undefined>): Step {
  return async (answer) => (await step(answer).catch(outageRefusal)) ?? answer;
}

/** Prefect may answer 500 to a client's own filter: such a client must not wait for it without end. Or it has acted already. */
export function outageRefusal(error: unknown): Refusal {
  if (error instanceof UpstreamError) return { code: error.reason };
  throw error;
}
