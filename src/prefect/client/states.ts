// What Prefect's states mean: their type, and the slot that they hold.
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';

const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'];

export function isTerminal(type: JsonValue | undefined): boolean {
  return typeof type === 'string' && TERMINAL.includes(type);
}

const DETAILS = 'state_details';
const LEASE = 'deployment_concurrency_lease_id';

/** The lease of the slot that a run holds of its deployment; null: none. */
export function leaseOfState(state: JsonObject): string | null {
  const details = field(state, DETAILS);
  const lease = isObject(details) ? field(details, LEASE) : null;
  return typeof lease === 'string' ? lease : null;
}

/** A body with a `state`, as a client may ask for it: it names nothing that may be somebody else's. */
export function withoutForeignInState(body: JsonObject): JsonObject {
  const state = withoutForeign(field(body, 'state'));
  return state === undefined ? body : { ...body, state };
}

/**
 * Prefect releases whatever lease is named in the state that a run leaves, whosever it is; which one a run
 * holds it knows by itself (PreserveDeploymentConcurrencyLeaseId of 3.9.1, and stock clients send null or what it is).
 *
 * A `cache_key` has it answer with the state that any task of anybody has left under that key, or leave one there, also by way of a sub-flow's state,
 * which becomes that of its task. Clients from 3.6.13 on never name one: their cache is where they store results.
 */
const FOREIGN = [LEASE, 'cache_key', 'cache_expiration'] as const;

function withoutForeign(state: JsonValue | undefined): JsonValue | undefined {
  const details = field(state, DETAILS);
  if (!isObject(state) || !isObject(details)) return state;
  const named = FOREIGN.filter((key) => (field(details, key) ?? null) !== null);
  if (named.length === 0) return state;
  return { ...state, [DETAILS]: { ...details, ...Object.fromEntries(named.map((key) => [key, null])) } };
}
