// Slots of concurrency limits, and the leases on them: for principals with scopes the body names the limits and the holder. Only the
// principal that took a lease renews or releases it. Lictor treats any other lease as one that does not exist.

import { field, isList, isObject, isRawNumber, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid, readsAsUuid } from '../../contract/json/uuid.ts';
import { boundRuns, type Principal } from '../../contract/principal.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import { leaseOfState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Leases } from '../../store/leases.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Handler, invalid, MEBIBYTE, ownAsk, planned } from './handler.ts';
import { distinctAsks } from './template-references.ts';

const TAKE = 'bulk_increment_active_slots_with_lease_v2_concurrency_limits_increment_with_lease_post';
const RELEASE = 'bulk_decrement_active_slots_with_lease_v2_concurrency_limits_decrement_with_lease_post';
const RENEW = 'renew_concurrency_lease_v2_concurrency_limits_leases__lease_id__renew_post';
const SET_STATE = 'set_flow_run_state_flow_runs__id__set_state_post';

/**
 * This route names neither a lease nor a holder, so it may release slots of any run. No code of the stock clients 3.6.13 to 3.9.1 calls it:
 * concurrency() and tasks release by lease, and the old routes by task run. So Lictor need not know the slots that a run holds without a lease.
 */
const RELEASE_BY_NUMBER = 'bulk_decrement_active_slots_v2_concurrency_limits_decrement_post';
const BY_LEASE =
  "A run releases concurrency slots only by their lease (increment-with-lease, decrement-with-lease), as Prefect's own concurrency() does: by their number they may be another run's.";

/** A limit that does not exist delays no run, so taking its slots needs no scope. */
export const takeSlots: Handler = {
  operations: [
    'increment_concurrency_limits_v1_concurrency_limits_increment_post',
    'decrement_concurrency_limits_v1_concurrency_limits_decrement_post',
    'bulk_increment_active_slots_v2_concurrency_limits_increment_post',
    TAKE,
    RELEASE_BY_NUMBER,
  ],
  maxBytes: MEBIBYTE,
  plan(call) {
    const names = field(call.tree, 'names');
    if (!isList(names) || !names.every((name) => typeof name === 'string')) return invalid('names must be a list of names.');
    const createsMissing = (field(call.tree, 'create_if_missing') ?? false) !== false;
    const own = ownAsk(call);
    // The old routes take the limits of these tags.
    const isOfTags = !call.operation.path.includes('/v2/');
    const limits = names.map((name): Ask => limitAsk(own, name, { isOfTags, mayBeAbsent: !createsMissing }));
    const asks = [...limits, ...holderAsks(own, call.tree)];
    return planned({
      asks: asks.length === 0 ? [{ ...own, on: { kind: 'shared' } }] : distinctAsks(asks),
      intent: false,
      objection: ({ kind }) => (kind === 'run' && call.operation.operationId === RELEASE_BY_NUMBER ? { code: 'run-bound', detail: BY_LEASE } : undefined),
    });
  },
};

/** Prefect looks up a name that reads as an id by id. Lictor then cannot know whether a limit of that name exists, so only the name decides. */
function limitAsk(own: Ask, name: string, { isOfTags, mayBeAbsent }: { readonly isOfTags: boolean; readonly mayBeAbsent: boolean }): Ask {
  const limit = { type: 'ConcurrencyLimit', id: name } as const;
  if (!isOfTags && readsAsUuid(name)) return { ...own, on: { kind: 'related', object: { ...limit, within: 'name' } } };
  return { ...own, on: { kind: 'related', object: { ...limit, ...(isOfTags && { within: 'tag' }) }, orAbsent: mayBeAbsent } };
}

const HOLDERS: ReadonlyMap<string, 'FlowRun' | 'TaskRun'> = new Map([
  ['flow_run', 'FlowRun'],
  ['task_run', 'TaskRun'],
]);

/** The new routes name a holder, the old ones a task run. Prefect may learn of that run later. */
function holderAsks(own: Ask, tree: JsonValue | undefined): readonly Ask[] {
  const holder = field(tree, 'holder');
  const named = [
    { type: HOLDERS.get(String(field(holder, 'type'))), id: field(holder, 'id') },
    { type: 'TaskRun' as const, id: field(tree, 'task_run_id') },
  ];
  return named.flatMap(({ type, id }) =>
    type === undefined || typeof id !== 'string' ? [] : [{ ...own, on: { kind: 'related', object: { type, id: parseUuid(id) ?? id }, orAbsent: true } }],
  );
}

export const touchLease: Handler = {
  operations: [RELEASE, RENEW],
  maxBytes: MEBIBYTE,
  plan(call) {
    const lease = leaseNamed(call);
    if (lease === undefined) return invalid('lease_id must be a UUID.');
    const tree = isObject(call.tree) && call.operation.operationId === RELEASE ? { ...call.tree, lease_id: lease } : call.tree;
    return planned({ asks: [{ ...ownAsk(call), on: { kind: 'lease', lease } }], intent: false, rewrite: () => tree });
  },
};

function leaseNamed({ operation, params, tree }: Call): string | undefined {
  return parseUuid(operation.operationId === RENEW ? params['lease_id'] : field(tree, 'lease_id'));
}

export interface LeaseChange {
  readonly call: Call;
  /** With a status below 300. */
  readonly answer: UpstreamAnswer;
  readonly creator: Principal;
}

/** Stores who holds a lease, and until when. */
export async function storeLease(leases: Pick<Leases, 'put' | 'ends'>, { call, answer, creator }: LeaseChange): Promise<void> {
  const { operationId } = call.operation;
  const [own = null] = boundRuns(creator) ?? [];
  if (operationId === TAKE) {
    const id = parseUuid(field(answerObject(answer), 'lease_id'));
    if (id !== undefined) await leases.put({ id, principal: creator.id, flowRun: own }, lifeMs(call.tree) + TAIL_MS);
  }
  if (operationId === SET_STATE) {
    const id = leaseAccepted(answer);
    if (id !== undefined) await leases.put({ id, principal: creator.id, flowRun: call.params['id'] ?? null }, DAY_MS + TAIL_MS);
  }
  const touched = operationId === RELEASE || operationId === RENEW ? leaseNamed(call) : undefined;
  if (touched !== undefined) await leases.ends(touched, operationId === RENEW ? lifeMs(call.tree) + TAIL_MS : TAIL_MS);
}

/** The lease of the deployment's slot, which Prefect takes for a run that is about to begin. A principal that cancels the run later does not hold it. */
function leaseAccepted(answer: UpstreamAnswer): string | undefined {
  const result = answerObject(answer);
  const state = field(result, 'state');
  if (!isObject(state) || textField(result, 'status') !== 'ACCEPT' || !BEGINNING.includes(textField(state, 'type') ?? '')) return undefined;
  return parseUuid(leaseOfState(state) ?? undefined);
}

const BEGINNING: readonly string[] = ['PENDING', 'RUNNING'];

/** Prefect's own default and maximum. */
const DEFAULT_SECONDS = 300;
const DAY_MS = 86_400_000;
/** Clients release a lease twice: Lictor forwards requests for an ended lease, so that Prefect answers them. */
const TAIL_MS = 600_000;

function lifeMs(tree: JsonValue | undefined): number {
  const given = isObject(tree) ? (field(tree, 'lease_duration') ?? DEFAULT_SECONDS) : DEFAULT_SECONDS;
  const ms = Number(isRawNumber(given) ? given.rawJSON : given) * 1000;
  return ms > 0 && ms < DAY_MS ? ms : DAY_MS;
}
