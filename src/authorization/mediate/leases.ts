// Leases of concurrency slots: renewed and released by whoever took them. Any other is as one that is not there.

import { field, isObject, isRawNumber, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Principal } from '../../contract/principal.ts';
import { boundRuns } from '../../contract/principal.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import { leaseOfState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Leases } from '../../store/leases.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';

const TAKE = 'bulk_increment_active_slots_with_lease_v2_concurrency_limits_increment_with_lease_post';
const RELEASE = 'bulk_decrement_active_slots_with_lease_v2_concurrency_limits_decrement_with_lease_post';
const RENEW = 'renew_concurrency_lease_v2_concurrency_limits_leases__lease_id__renew_post';
const SET_STATE = 'set_flow_run_state_flow_runs__id__set_state_post';

export const touchLease: Family = {
  operations: [RELEASE, RENEW],
  maxBytes: MEBIBYTE,
  plan(call) {
    const lease = leaseNamed(call);
    if (lease === undefined) return invalid('lease_id must be a UUID.');
    const ask: Ask = { action: call.operation.action, resource: ownResource(call), on: { kind: 'lease', lease } };
    const tree = isObject(call.tree) && call.operation.operationId === RELEASE ? { ...call.tree, lease_id: lease } : call.tree;
    return planned({ asks: [ask], intent: false, rewrite: () => tree });
  },
};

function leaseNamed({ operation, params, tree }: Call): string | undefined {
  const named = operation.operationId === RENEW ? params['lease_id'] : field(tree, 'lease_id');
  return parseUuid(named);
}

export interface Noted {
  readonly call: Call;
  /** Below 300. */
  readonly answer: UpstreamAnswer;
  readonly maker: Principal;
}

/** What an answer tells of a lease: who has one, and until when. */
export async function noteLease(leases: Pick<Leases, 'put' | 'ends'>, { call, answer, maker }: Noted): Promise<void> {
  const { operationId } = call.operation;
  const [own = null] = boundRuns(maker) ?? [];
  if (operationId === TAKE) {
    const id = parseUuid(textField(answerObject(answer), 'lease_id') ?? '');
    if (id !== undefined) await leases.put({ id, principal: maker.id, flowRun: own }, lifeMs(call.tree) + TAIL_MS);
  }
  if (operationId === SET_STATE) {
    const id = leaseAccepted(answer);
    if (id !== undefined) await leases.put({ id, principal: maker.id, flowRun: call.params['id'] ?? null }, DAY_MS + TAIL_MS);
  }
  const touched = operationId === RELEASE || operationId === RENEW ? leaseNamed(call) : undefined;
  if (touched !== undefined) await leases.ends(touched, operationId === RENEW ? lifeMs(call.tree) + TAIL_MS : TAIL_MS);
}

/** Of the deployment's slot: Prefect takes it for a run that is about to begin. Who cancels the run later has not got it. */
function leaseAccepted(answer: UpstreamAnswer): string | undefined {
  const result = answerObject(answer);
  const state = field(result, 'state');
  if (!isObject(state) || textField(result, 'status') !== 'ACCEPT' || !BEGINNING.includes(textField(state, 'type') ?? '')) return undefined;
  return parseUuid(leaseOfState(state) ?? '');
}

const BEGINNING: readonly string[] = ['PENDING', 'RUNNING'];

/** Prefect's own default, and the most that it gives. */
const DEFAULT_SECONDS = 300;
const DAY_MS = 86_400_000;
/** Past its end Prefect is still asked about it: clients release twice, and what Prefect says is no refusal of the gateway's. */
const TAIL_MS = 600_000;

function lifeMs(tree: JsonValue | undefined): number {
  const given = isObject(tree) ? (field(tree, 'lease_duration') ?? DEFAULT_SECONDS) : DEFAULT_SECONDS;
  const ms = Number(isRawNumber(given) ? given.rawJSON : given) * 1000;
  return ms > 0 && ms < DAY_MS ? ms : DAY_MS;
}
