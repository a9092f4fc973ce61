// Reasons that observe mode records and does not enforce: what Prefect's shared password allowed before.
import type { ReasonCode } from './reasons.ts';

/**
 * Not in the list, so always enforced: credentials and locks, unknown and hostile requests, the client scopes of a login, rules of agents, approvals,
 * forged labels and events, outages.
 */
const OBSERVABLE: ReadonlySet<ReasonCode> = new Set([
  'policy-default-deny',
  'policy-forbids',
  'object-foreign',
  'scope-excludes',
  'scope-not-filterable',
  'scope-filter',
  'filter-hidden',
  'scope-too-wide',
  'tag-guarded',
  'run-bound',
  'run-foreign',
  'bulk-item-forbidden',
  'automation-exceeds-rights',
  'block-called-by-server',
  'env-reserved',
  'pull-step-option',
  // Only of a caller that sends the shared password (src/authorization/decide/observation.ts).
  'shared-password',
]);

export function isObservable(reason: ReasonCode): boolean {
  return OBSERVABLE.has(reason);
}
