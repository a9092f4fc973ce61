// The decision: authenticate, classify, evaluate. Deny is a value; whatever goes wrong here ends in deny or in an outage, never in allow.
import type { Authenticator } from '../authn/authenticator.ts';
import { alternativeActions, collectActions } from '../catalog/actions.ts';
import type { Catalogue } from '../catalog/catalogue.ts';
import { actionFor } from '../catalog/query.ts';
import { scopesAllow } from '../contract/client-scopes.ts';
import type { Decision, Resource } from '../contract/decision.ts';
import type { EdgeInputs } from '../contract/inputs.ts';
import type { ActionGroup, ActionName, Operation } from '../contract/operation.ts';
import type { Credential, Principal } from '../contract/principal.ts';
import type { ReasonCode } from '../contract/reasons.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { isForeignWrite } from './origin.ts';

/** One right that a request needs. `facts` are what the body asks for; policies see them in their context. */
export interface Ask {
  readonly action: ActionName;
  readonly resource: Resource;
  readonly facts?: Readonly<Record<string, boolean | number | string>>;
}

export type Authorization =
  | { readonly ok: true; readonly principal: Principal; readonly credential: Credential; readonly decisions: readonly Decision[] }
  | {
      readonly ok: false;
      readonly reason: ReasonCode;
      readonly principal: Principal | null;
      readonly credential: Credential | null;
      readonly credentialId: string | null;
      readonly decisions: readonly Decision[];
    };

export interface Decider {
  /**
   * Authenticates by the inputs (or by a socket's first-frame token) and evaluates every ask: all must be allowed.
   * No asks: the operation's own action on its own resource.
   */
  authorize(inputs: EdgeInputs, asks: readonly Ask[], frameToken?: string): Promise<Authorization>;
  /**
   * Before the body is read: is any action that this route can turn out to be permitted? The mediator then asks exactly, so
   * this allow lets nothing through by itself; it only keeps the bodies of the others away.
   */
  precheck(inputs: EdgeInputs): Promise<Authorization>;
  readonly revision: number;
}

export interface DeciderParts {
  readonly authenticator: Authenticator;
  readonly catalogue: Catalogue;
  readonly policy: PolicyEngine;
  /** The store's change number: an answer that was computed while it moved is computed again. */
  readonly changeNumber: () => Promise<number>;
}

interface Inside extends DeciderParts {
  readonly groups: ReadonlyMap<ActionName, ActionGroup>;
}

export function createDecider(given: DeciderParts): Decider {
  const parts: Inside = { ...given, groups: new Map(collectActions(given.catalogue.operations).map(({ name, group }) => [name, group])) };
  return {
    revision: parts.policy.revision,
    authorize: (inputs, asks, frameToken) => settled(parts, () => decideOnce(parts, inputs, { asks, frameToken, any: false })),
    precheck: (inputs) => settled(parts, () => decideOnce(parts, inputs, { asks: [], frameToken: undefined, any: true })),
  };
}

/** Computes again while a security change lands in between (at most a few times: changes are rare). */
async function settled(parts: DeciderParts, decide: () => Promise<Authorization>): Promise<Authorization> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = await parts.changeNumber();
    const answer = await decide();
    if ((await parts.changeNumber()) === before) return answer;
  }
  return { ok: false, reason: 'gateway-unavailable', principal: null, credential: null, credentialId: null, decisions: [] };
}

interface Question {
  readonly asks: readonly Ask[];
  readonly frameToken: string | undefined;
  /** One of the route's alternative actions is enough. */
  readonly any: boolean;
}

async function decideOnce(parts: Inside, inputs: EdgeInputs, question: Question): Promise<Authorization> {
  const { frameToken } = question;
  const authentication = await (frameToken === undefined
    ? parts.authenticator.authenticate(inputs)
    : parts.authenticator.authenticateFrame(frameToken, inputs));
  if (!authentication.ok) {
    const { reason, credentialId, proven } = authentication;
    return { ok: false, reason, principal: proven?.principal ?? null, credential: proven?.credential ?? null, credentialId, decisions: [] };
  }
  const { principal, credential } = authentication;
  const refuse = (reason: ReasonCode, decisions: readonly Decision[] = []): Authorization => ({
    ok: false,
    reason,
    principal,
    credential,
    credentialId: credential.id,
    decisions,
  });

  const operation = parts.catalogue.byId(inputs.operation);
  if (operation === undefined) return refuse('action-unknown');
  if (operation.taken === 'deny') return refuse('route-denied');
  if (isForeignWrite(credential, inputs, operation.method)) return refuse('origin-foreign');

  const asks = question.asks.length > 0 ? question.asks : ownAsks(parts.catalogue, operation, inputs, question.any);
  if (typeof asks === 'string') return refuse(asks);
  const decisions = asks.map((ask) =>
    withinScopes(
      parts,
      credential,
      parts.policy.evaluate({
        principal,
        action: ask.action,
        resource: ask.resource,
        context: { address: inputs.address, carrier: credential.carrier, facts: ask.facts ?? {} },
      }),
    ),
  );
  const allowed = decisions.filter((decision) => decision.enforced === 'allow');
  if (question.any && allowed.length > 0) return { ok: true, principal, credential, decisions: allowed };
  const denied = decisions.find((decision) => decision.enforced !== 'allow');
  return denied === undefined && decisions.length > 0
    ? { ok: true, principal, credential, decisions }
    : refuse(denied?.reason ?? 'policy-default-deny', decisions);
}

/** Scopes take away, and never give: what no policy permits stays refused for that reason. */
function withinScopes({ groups }: Inside, { scopes }: Credential, decision: Decision): Decision {
  if (decision.effect !== 'allow' || scopesAllow(scopes, groups.get(decision.action))) return decision;
  return { ...decision, effect: 'deny', enforced: 'deny', reason: 'scope-missing' };
}

/** The operation's own action, or all that it can turn out to be, on its own resource; a reason when the query cannot be read safely. */
function ownAsks(catalogue: Catalogue, operation: Operation, inputs: EdgeInputs, any: boolean): readonly Ask[] | ReasonCode {
  const action = actionFor(operation, inputs.args);
  if (action === 'query-invalid') return 'query-invalid';
  const params = inputs.path === '' ? {} : catalogue.params(operation, inputs.path);
  if (params === undefined) return 'action-unknown';
  const id = operation.idParam === null ? null : (params[operation.idParam] ?? null);
  const actions = any ? alternativeActions(operation) : [action];
  return actions.map((name) => ({ action: name, resource: { type: operation.resource, id } }));
}
