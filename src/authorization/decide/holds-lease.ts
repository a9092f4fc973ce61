// Decides whether a principal holds a lease of concurrency slots: it took the lease. A run also holds the leases of its child runs and its deployment's slot.

import { field, isObject } from '../../contract/json/tree.ts';
import { boundRuns, type Principal } from '../../contract/principal.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { RunLineage } from '../../prefect/client/run-lineage.ts';
import { leaseOfState } from '../../prefect/client/states.ts';
import type { Leases } from '../../store/leases.ts';

/** Throws UpstreamError when Prefect does not answer. */
export type HoldsLease = (principal: Principal, lease: string) => Promise<boolean>;

export interface LeaseParts {
  readonly leaseOf: Leases['of'];
  readonly lineage: RunLineage;
  /** Uncached. */
  readonly lookup: Lookup;
}

export function createHoldsLease({ leaseOf, lineage, lookup }: LeaseParts): HoldsLease {
  return async (principal, id) => {
    const runs = boundRuns(principal);
    const lease = await leaseOf(id);
    if (runs === null) return lease?.principal === principal.id;
    const [own] = runs;
    if (own === undefined) return false;
    if (lease?.flowRun === own || (lease === null && (await isOfRun(lookup, own, id)))) return true;
    return lease !== null && lease.flowRun !== null && (await lineage.relation(own, lease.flowRun)) === 'descendant';
  };
}

/** Prefect itself takes the slot of a deployment and writes its lease into the state of the run. Clients cannot (withoutForeignInState). */
async function isOfRun(lookup: Lookup, run: string, lease: string): Promise<boolean> {
  const found = await lookup(`/api/flow_runs/${run}`);
  const state = field(found, 'state');
  return isObject(state) && leaseOfState(state) === lease;
}
