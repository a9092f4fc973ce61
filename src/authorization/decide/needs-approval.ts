// Actions that would have to wait for a person where nothing can wait: on sockets, calls of services, and Lictor's own pages.
import type { Decision } from '../../contract/decision.ts';
import type { ActionName } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';

/** True: a rule holds this action of this principal. Only requests to Prefect can wait for an approval, so everything else is refused. */
export type NeedsApproval = (principal: Principal, action: ActionName) => boolean;

export function deniedFor(reason: ReasonCode, decision: Decision): Decision {
  return { ...decision, effect: 'deny', enforced: 'deny', reason };
}
