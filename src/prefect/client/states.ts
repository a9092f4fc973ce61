// The states of Prefect: their type, and the concurrency slot that they hold.
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { textField } from './answer.ts';

const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'];

export function isTerminal(type: JsonValue | undefined): boolean {
  return typeof type === 'string' && TERMINAL.includes(type);
}

const DETAILS = 'state_details';
const LEASE = 'deployment_concurrency_lease_id';

/** The lease of the deployment's slot that a run holds; null: none. */
export function leaseOfState(state: JsonObject): string | null {
  return textField(field(state, DETAILS), LEASE);
}

/** The body without references in its `state` that may belong to other principals. */
export function withoutForeignInState(body: JsonObject): JsonObject {
  const state = withoutForeign(field(body, 'state'));
  return state === undefined ? body : { ...body, state };
}

/**
 * Prefect releases any lease that the previous state of a run names, even a foreign one. It knows the run's own lease without it
 * (PreserveDeploymentConcurrencyLeaseId of 3.9.1; stock clients send null or that lease).
 *
 * With a `cache_key` Prefect answers with the state that any task has stored under that key, or stores one there. The state of a sub-flow does
 * the same, because it becomes the state of its task. Clients from 3.6.13 on never send a `cache_key`: their cache is their result storage.
 */
const FOREIGN = [LEASE, 'cache_key', 'cache_expiration'] as const;

function withoutForeign(state: JsonValue | undefined): JsonValue | undefined {
  const details = field(state, DETAILS);
  if (!isObject(state) || !isObject(details)) return state;
  const named = FOREIGN.filter((key) => (field(details, key) ?? null) !== null);
  if (named.length === 0) return state;
  return { ...state, [DETAILS]: { ...details, ...Object.fromEntries(named.map((key) => [key, null])) } };
}
