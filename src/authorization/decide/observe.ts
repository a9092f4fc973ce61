// Turns a denial into an allow for a principal that is observed. The result of the policies stays in it, for the record.
import type { Mode } from '../../config/config.ts';
import { scopesAllow } from '../../contract/client-scopes.ts';
import type { Effect } from '../../contract/decision.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { isObservable } from '../../contract/observable.ts';
import type { ActionGroup } from '../../contract/operation.ts';
import { type Credential, isSharedPassword, type Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Authorization } from './decider.ts';
import type { Observation } from './observation.ts';

export interface Observed {
  readonly inputs: EdgeInputs;
  readonly principal: Principal;
  readonly credential: Credential;
  /** Of each action that the request needs. */
  readonly groups: readonly (ActionGroup | undefined)[];
  /** One of them is enough. */
  readonly any: boolean;
}

/**
 * The allowed request has no restriction, and its credential ends with the observation, so that cached decisions and sockets do too.
 * The interface for agents never took the shared password: it is not observed.
 */
export async function observe(observation: Observation, asked: Observed, decided: Authorization): Promise<Authorization> {
  const { inputs, principal, credential } = asked;
  const instead = isSharedPassword(principal) ? withoutIdentity(asked, decided) : decided;
  const untilMs = inputs.audience === undefined && isConcerned(observation, asked) ? await observation.until(principal) : undefined;
  if (untilMs === undefined || !(instead.ok || isObservable(instead.reason))) return instead;
  return {
    ok: true,
    principal,
    credential: { ...credential, expiresAtMs: Math.min(credential.expiresAtMs ?? untilMs, untilMs) },
    decisions: instead.decisions.map((decision) => ({ ...decision, enforced: 'allow' })),
    restrictions: [],
    entities: instead.entities ?? [],
    instead,
  };
}

/** The scopes of a client bound the login of the person, and no policy does. */
function isConcerned(observation: Observation, { credential, groups, any }: Observed): boolean {
  const concerned = groups.map((group) => scopesAllow(credential.scopes, group) && observation.concerns(group));
  return any ? concerned.includes(true) : !concerned.includes(false);
}

/** What Lictor decides without observe mode. */
export function enforced(authorization: Authorization): Authorization {
  return (authorization.ok ? authorization.instead : undefined) ?? authorization;
}

/** With mode `observe`, a denied request was forwarded. */
export interface Said {
  readonly decision: Effect;
  readonly reason: ReasonCode;
  readonly mode: Mode;
}

/** What a record says of a decision. */
export function decisionFields(authorization: Authorization): Said {
  const said = enforced(authorization);
  const mode = said === authorization ? 'enforce' : 'observe';
  if (!said.ok) return { decision: 'deny', reason: said.reason, mode };
  return { decision: 'allow', reason: mode === 'observe' && said.restrictions.length > 0 ? 'scope-narrows' : 'policy-permits', mode };
}

/** Whatever a policy permits to everyone: the shared password proves no identity. */
function withoutIdentity({ principal, credential }: Observed, { decisions, entities = [] }: Authorization): Authorization {
  const reason = 'shared-password';
  const denied = decisions.map((decision) => ({ ...decision, effect: 'deny', enforced: 'deny', reason }) as const);
  return { ok: false, reason, principal, credential, credentialId: credential.id, decisions: denied, entities };
}
