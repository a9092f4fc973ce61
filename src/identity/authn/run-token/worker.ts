// The worker behind a run's token: what identifies it while its credentials are replaced, and whether it is in good standing.
import type { Config, IdentityProvider } from '../../../config/config.ts';
import type { ClientScope } from '../../../contract/client-scopes.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Credential, Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { Grant } from '../../../contract/scope.ts';
import type { ClientGrants } from '../../../store/client-grants.ts';
import type { Locks } from '../../../store/locks.ts';
import type { WorkerIdentity } from '../../../store/run-token-identity.ts';
import type { StoredRunToken } from '../../../store/run-tokens.ts';
import type { Tokens } from '../../../store/tokens.ts';
import { trustIn } from '../access-token/trust.ts';
import type { AgentCredentials } from '../agent/credentials.ts';
import type { GrantStanding } from '../grant/standing.ts';
import { grantCredentialId } from '../grant/verify.ts';
import { lockOnPrincipal } from '../locks.ts';
import type { RoleBook } from '../roles.ts';
import { isInNetworks } from '../service-token/networks.ts';

export interface Worker {
  readonly principal: Principal;
  readonly credential: Credential;
}

export interface Bound {
  readonly binding: string;
  readonly identity: WorkerIdentity | null;
}

const TOKEN = 'token ';
const LOGIN = 'login ';
const PRINCIPAL = 'principal ';

/**
 * A service token by its id, over its rotations. A login by its grant, over its refreshes. Any other principal with short-lived
 * credentials or a certificate by its identity. Undefined: sessions of browsers, and runs, begin no runs. Nor does a principal that acts for another
 * one: its runs would not be bounded by the other's rights.
 */
export function boundOf({ principal, credential }: Worker, providers: readonly IdentityProvider[]): Bound | undefined {
  if (principal.kind === 'run' || principal.limitedBy !== undefined || credential.sessionId !== null) return undefined;
  if (principal.idp === null) return principal.id.startsWith('token:') ? { binding: `${TOKEN}${credential.id}`, identity: null } : undefined;
  if (credential.id.startsWith(grantCredentialId(''))) return { binding: `${LOGIN}${credential.id.slice(grantCredentialId('').length)}`, identity: null };
  const provider = providers.find(({ id }) => id === principal.idp);
  if (provider === undefined) return undefined;
  const name = principal.id.slice(0, -(provider.id.length + 1));
  const { groups, attributes: claims, kind } = principal;
  const identity = { idp: provider.id, subject: name, name, kind: kind === 'user' ? 'user' : 'service', groups, claims, trust: trustIn(provider) } as const;
  return { binding: `${PRINCIPAL}${principal.id}`, identity };
}

/** `scopes`: the scopes of a login of the command line, which also limit its runs. Left out: no login, no limit. */
export type WorkerStanding =
  | { readonly ok: true; readonly grants: readonly Grant[]; readonly scopes?: readonly ClientScope[] }
  | { readonly ok: false; readonly reason: ReasonCode };

export interface WorkerParts {
  readonly store: { readonly tokens: Pick<Tokens, 'byId'>; readonly clientGrants: Pick<ClientGrants, 'byId'>; readonly locks: Pick<Locks, 'list'> };
  readonly config: Pick<Config, 'identityProviders'>;
  readonly roleBook: RoleBook;
  readonly agents: AgentCredentials;
  readonly standing: GrantStanding;
  readonly clock: Clock;
}

/** Checked at each use: an end of the worker ends the tokens of its runs. An agent is no worker, also if its credential was one before. */
export async function workerStanding(parts: WorkerParts, token: StoredRunToken, address: string): Promise<WorkerStanding> {
  const found = await grantsOf(parts, token, address);
  if (!found.ok) return found;
  const idp = token.identity?.idp ?? found.idp;
  const who = { id: token.worker, idp, onBehalfOf: found.now === undefined ? [] : [found.now] };
  const lock = await lockOnPrincipal({ locks: parts.store.locks, config: parts.config }, who, { sessionId: null, standsOn: found.standsOn });
  return lock === undefined ? found : { ok: false, reason: 'locked' };
}

type Found =
  /** `now`: the principal, which may have another name since. */
  | (WorkerStanding & { readonly ok: true; readonly idp: string | null; readonly standsOn: string | null; readonly now?: string })
  | (WorkerStanding & { readonly ok: false });

async function grantsOf(parts: WorkerParts, { binding, identity }: StoredRunToken, address: string): Promise<Found> {
  const { store, roleBook, agents, clock } = parts;
  if (binding.startsWith(TOKEN)) {
    const token = await store.tokens.byId(binding.slice(TOKEN.length));
    const nowMs = clock();
    const isLive = token?.revokedMs === null && token.secrets.some(({ expiresMs }) => expiresMs === null || expiresMs > nowMs);
    if (token === undefined || !isLive || agents.ofToken(token.name) !== undefined) return ORPHANED;
    if (!isInNetworks(address, token.cidrs)) return { ok: false, reason: 'credential-address' };
    return { ok: true, grants: roleBook.ofToken(token), idp: null, standsOn: null };
  }
  if (binding.startsWith(LOGIN)) {
    const grant = await store.clientGrants.byId(binding.slice(LOGIN.length));
    const now = grant === undefined ? undefined : await parts.standing(grant);
    if (grant === undefined || now?.ok !== true) return ORPHANED;
    return { ok: true, grants: now.principal.grants, scopes: grant.scopes, idp: now.principal.idp, now: now.principal.id, standsOn: grant.sessionId };
  }
  const provider = parts.config.identityProviders.find(({ id }) => id === identity?.idp);
  if (identity === null || provider === undefined || trustIn(provider) !== identity.trust || agents.ofIdentity(identity).length > 0) return ORPHANED;
  return { ok: true, grants: roleBook.ofIdentity(identity), idp: identity.idp, standsOn: null };
}

const ORPHANED = { ok: false, reason: 'run-token-orphaned' } as const;
