// The scope filters of a request: what its principal may see.
import type { EdgeInputs } from '../../contract/inputs.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import { enforced } from '../decide/observe.ts';
import { hasScopes } from '../decide/rule.ts';
import type { Call } from './handler.ts';
import type { Restricted } from './lists/narrow-request.ts';
import type { MediatorParts } from './parts.ts';

/** A role without the right to read them adds no objects. */
export function scopeFilterOfPrincipal(parts: MediatorParts, inputs: EdgeInputs, principal: Principal): Pick<Call, 'scopeFilter'> {
  if (!chainOf(principal).some(hasScopes)) return {};
  return {
    async scopeFilter(read) {
      const reading = await parts.decider.authorizeNow(inputs, [read]);
      const restrictions = reading.ok ? reading.restrictions : [{ principalId: principal.id, scopes: [] }];
      return restrictions.length === 0 ? undefined : { restrictions, ...scopeFilterOf(parts, inputs) };
    },
  };
}

export function scopeFilterOf({ upstream, makers, decider }: MediatorParts, inputs: EdgeInputs): Omit<Restricted, 'restrictions'> {
  return {
    lookup: createLookup(upstream),
    createdBy: (type, principalId) => makers.createdBy(principalId, type),
    mayRead: async (ask) => enforced(await decider.authorizeNow(inputs, [ask])).ok,
  };
}
