// The authenticated principal: the result of every credential.
import type { ClientScope } from './client-scopes.ts';
import type { Grant } from './scope.ts';

export type PrincipalKind = 'user' | 'service' | 'worker' | 'run' | 'agent';

/**
 * The authenticated user, service, worker, run or agent.
 *
 * `id` is stable and unique over all identity providers: `alice@local` for a person, `token:etl-worker` for a
 * service token, `agent:copilot` for an agent. `onBehalfOf` is the chain of initiators, nearest first (RFC 8693 `act`); it is evidence,
 * never a right. `limitedBy` only removes rights.
 */
export interface Principal {
  readonly id: string;
  readonly kind: PrincipalKind;
  /** Id of the identity provider; null for service tokens, which Lictor issues itself. */
  readonly idp: string | null;
  /** Names of all grants, for display: a role of a scope is in it too. Decisions read `grants`. */
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly onBehalfOf: readonly string[];
  /** Principals of the chain whose rights bound this one: all of them must have a right. Left out: none. */
  readonly limitedBy?: readonly Principal[];
}

/** The principal, and every principal whose rights bound it. */
export function chainOf(principal: Principal): readonly Principal[] {
  return principal.limitedBy === undefined ? [principal] : [principal, ...principal.limitedBy.flatMap(chainOf)];
}

/** The principal, or one whose rights bound it, has the role. */
export function holdsRole(principal: Principal, role: string): boolean {
  return chainOf(principal).some(({ grants }) => grants.some((grant) => grant.role === role));
}

/** The id of the agent with this name in lictor.yaml. */
export function agentId(name: string): string {
  return `agent:${name}`;
}

/** The name in the id of an agent; undefined: another principal. The id of a person has an `@`, the name of an agent has none. */
export function agentName(id: string): string | undefined {
  return /^agent:([^@]+)$/.exec(id)?.[1];
}

/** The id of the credential, and the beginning of the ids, of callers that send Prefect's own auth string. Only observe mode accepts it. */
export const SHARED_PASSWORD = 'shared-password';

/** The id of a caller that sends Prefect's own auth string from this address. */
export function sharedPasswordId(address: string): string {
  return `${SHARED_PASSWORD}:${address}`;
}

export function isSharedPassword({ id }: Pick<Principal, 'id'>): boolean {
  return id.startsWith(`${SHARED_PASSWORD}:`);
}

/** The attribute that binds a principal of kind `run` to its flow run. */
export const RUN_ATTRIBUTE = 'flow_run_id';

/** The flow runs that a principal may report on; null: it is not bound to any. A run principal without an id may report on none. */
export function boundRuns({ kind, attributes }: Principal): ReadonlySet<string> | null {
  if (kind !== 'run') return null;
  const own = attributes[RUN_ATTRIBUTE];
  return new Set(own === undefined ? [] : [own]);
}

/** The place of the credential in the request, in the order of precedence. */
export const CARRIERS = ['authorization', 'x-lictor-token', 'session', 'certificate', 'frame'] as const;
export type Carrier = (typeof CARRIERS)[number];

/** The credential of the principal. `id` names it without its secret: safe to log. */
export interface Credential {
  readonly id: string;
  readonly carrier: Carrier;
  /** Epoch milliseconds after which it proves nothing; null when it does not expire by itself. */
  readonly expiresAtMs: number | null;
  /** Set when the credential is a browser session. */
  readonly sessionId: string | null;
  /** For a command line login that depends on a browser session: that session. A lock on the session covers the login. */
  readonly standsOn?: string | null;
  /** Ids of further valid credentials on the same request that name another principal: recorded, otherwise ignored. */
  readonly alsoPresented: readonly string[];
  /** The scopes of the client; left out: all rights of the principal. */
  readonly scopes?: readonly ClientScope[];
}
