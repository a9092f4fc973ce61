// Who is calling: the one shape that every credential turns into.
import type { ClientScope } from './client-scopes.ts';
import type { Grant } from './scope.ts';

export type PrincipalKind = 'user' | 'service' | 'worker' | 'run' | 'agent';

/**
 * The authenticated user, service, worker, run or agent.
 *
 * `id` is stable and unique over all identity providers: `alice@local` for a person, `token:etl-worker` for a
 * service token. `onBehalfOf` is the chain of initiators, nearest first (RFC 8693 `act`); it is evidence, never a right.
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
}

/** The attribute that binds a principal of kind `run` to its flow run. */
export const RUN_ATTRIBUTE = 'flow_run_id';

/** The flow runs that a principal may speak of; null: it is not bound to any. A run that does not say which one may speak of none. */
export function boundRuns({ kind, attributes }: Principal): ReadonlySet<string> | null {
  if (kind !== 'run') return null;
  const own = attributes[RUN_ATTRIBUTE];
  return new Set(own === undefined ? [] : [own]);
}

/** Where on a request the credential stood. The order of the members is the order in which they win. */
export const CARRIERS = ['authorization', 'x-lictor-token', 'session', 'certificate', 'frame'] as const;
export type Carrier = (typeof CARRIERS)[number];

/** What proved the principal. `id` names it without being it: safe to log. */
export interface Credential {
  readonly id: string;
  readonly carrier: Carrier;
  /** Epoch milliseconds after which it proves nothing; null when it does not expire by itself. */
  readonly expiresAtMs: number | null;
  /** Set when the credential is a browser session. */
  readonly sessionId: string | null;
  /** The browser session that it lives by, and is locked with: of a login of the command line that has nothing else to stand on. */
  readonly standsOn?: string | null;
  /** Ids of further valid credentials on the same request that name another principal: recorded, otherwise ignored. */
  readonly alsoPresented: readonly string[];
  /** What the client was let do; left out: whatever the principal may. */
  readonly scopes?: readonly ClientScope[];
}
