// What a request must meet beside the policies: budgets, rules for parameters, approvals. The mediator checks it in one place.
import type { Operation } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Authorization } from '../decide/decider.ts';
import type { Call, Plan, Refusal } from './handler.ts';

/** A request that the policies permit. Lictor has forwarded nothing of it. */
export interface PermittedRequest {
  readonly call: Call;
  readonly plan: Plan;
  readonly authorization: Extract<Authorization, { ok: true }>;
  /** The MCP tool that sends it; null: an HTTP client does. The MCP endpoint has counted the call of the tool. */
  readonly tool: string | null;
}

/** `not-sent`: Prefect got nothing. `unknown`: Prefect gave no answer, and may have acted. `bytes`: the answer to the client. */
export type RequestOutcome = { readonly bytes: number } & (
  | { readonly kind: 'not-sent' | 'unknown' }
  | { readonly kind: 'answered'; readonly answer: UpstreamAnswer }
);

/** What a condition adds to the record of the request. */
export type RecordFields = Pick<NewRecord, 'approval_id' | 'redactions'>;

export type LeavingAnswer = Pick<UpstreamAnswer, 'status' | 'headers' | 'body'>;

/** The body that the client gets, and what the record says of it. */
export interface LeavingBody {
  readonly body: Buffer;
  readonly record?: RecordFields;
}

export type Verdict =
  /** `record`: further fields of the record of the refusal. */
  | { readonly ok: false; readonly refusal: Refusal; readonly record?: RecordFields }
  | {
      readonly ok: true;
      readonly record?: RecordFields;
      /** Called once with the outcome. It gives back what `check` has reserved, if Prefect got nothing. */
      readonly settle?: (outcome: RequestOutcome) => Promise<void>;
      /** Called before an answer leaves. If it throws, the client gets no answer. */
      readonly bodyFor?: (answer: LeavingAnswer) => Promise<LeavingBody>;
    };

export interface Condition {
  /** True: the condition is checked for requests of this principal. */
  concerns(principal: Principal): boolean;
  /** False: it checks nothing of this operation, which may take another path. Left out: every operation of a concerned principal takes the mediated path. */
  reads?(operation: Operation): boolean;
  /** True: it reads the values of the parameters that requests of this principal give. */
  readsParameters?(principal: Principal): boolean;
  /** A refusal that depends on nothing but the principal, and is known without a wait. It saves the work for the request. */
  refusesAtOnce?(principal: Principal, tool: string | null): Refusal | undefined;
  /** Throws when it cannot decide: then nothing is forwarded. */
  check(request: PermittedRequest): Promise<Verdict>;
}

export interface Conditions extends Condition {
  /** True: this operation of this principal takes the mediated path. */
  mustMediate(principal: Principal, operation: Operation): boolean;
}

/** Checks all conditions in their order. The first refusal counts, and those before it get `not-sent`. */
export function createConditions(conditions: readonly Condition[]): Conditions {
  const concerning = (principal: Principal) => conditions.filter((condition) => condition.concerns(principal));
  return {
    concerns: (principal) => concerning(principal).length > 0,
    mustMediate: (principal, operation) => concerning(principal).some(({ reads }) => reads?.(operation) !== false),
    readsParameters: (principal) => concerning(principal).some((condition) => condition.readsParameters?.(principal) === true),
    refusesAtOnce(principal, tool) {
      for (const condition of concerning(principal)) {
        const refusal = condition.refusesAtOnce?.(principal, tool);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    },
    async check(request) {
      const { principal } = request.authorization;
      const passed: Extract<Verdict, { ok: true }>[] = [];
      const settle = async (outcome: RequestOutcome): Promise<void> => {
        for (const verdict of passed) await verdict.settle?.(outcome);
      };
      try {
        for (const condition of concerning(principal)) {
          const verdict = await condition.check(request);
          if (!verdict.ok) {
            await settle({ kind: 'not-sent', bytes: 0 });
            return verdict;
          }
          passed.push(verdict);
        }
      } catch (error) {
        await settle({ kind: 'not-sent', bytes: 0 });
        throw error;
      }
      return {
        ok: true,
        record: Object.assign({}, ...passed.map(({ record }) => record)),
        settle,
        async bodyFor(answer) {
          let leaving: LeavingBody = { body: answer.body };
          for (const { bodyFor } of passed) {
            const next = await bodyFor?.({ ...answer, body: leaving.body });
            if (next !== undefined) leaving = { body: next.body, record: { ...leaving.record, ...next.record } };
          }
          return leaving;
        },
      };
    },
  };
}

export const NO_CONDITIONS: Condition = createConditions([]);
