// Decides which roles are worker roles: a run inherits only the scopes of its worker's worker roles.
import { everywhere } from '../../contract/scope.ts';
import type { PolicyEngine } from './engine.ts';

/** True when the role alone, without a scope, permits a poll of a pool. Evaluates each role once. */
export function mayPollBy(policy: Pick<PolicyEngine, 'evaluate'>): (role: string) => boolean {
  const known = new Map<string, boolean>();
  return (role) => {
    const answer = known.get(role) ?? mayPoll(policy, role);
    known.set(role, answer);
    return answer;
  };
}

function mayPoll(policy: Pick<PolicyEngine, 'evaluate'>, role: string): boolean {
  const principal = { id: '', kind: 'worker', idp: null, roles: [role], grants: everywhere([role]), groups: [], attributes: {}, onBehalfOf: [] } as const;
  const context = { address: '', carrier: 'authorization', facts: {} };
  return policy.evaluate({ principal, action: 'worker.poll', resource: { type: 'WorkPool', id: null }, context }).enforced === 'allow';
}
