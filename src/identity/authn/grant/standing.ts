// Is a login of a client still valid, and for which principal? Checked at every decision and every refresh.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { ClientGrant, ClientGrants } from '../../../store/client-grants.ts';
import type { Sessions } from '../../../store/sessions.ts';
import { agentPrincipal, sponsorId } from '../agent/agents.ts';
import type { AgentCredentials } from '../agent/credentials.ts';
import type { Confirm, ConfirmedStore } from '../external/confirm.ts';
import type { RoleBook } from '../roles.ts';
import { isKnown, ownerPrincipal, sessionAbsoluteEndMs, sessionEndsMs } from '../session/session.ts';

export type Standing =
  | {
      readonly ok: true;
      /** With the present rights by the provider and lictor.yaml: the person, or the agent that the client is. */
      readonly principal: Principal;
      /** Decisions based on it must not be cached longer. */
      readonly untilMs: number;
      /** Its latest end: its own, or the absolute end of the session that it depends on. */
      readonly endsMs: number;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

export type GrantStanding = (grant: ClientGrant) => Promise<Standing>;

export interface StandingParts {
  readonly sessions: Pick<Sessions, 'byId'>;
  readonly providers: Config['identityProviders'];
  readonly roleBook: RoleBook;
  readonly agents: AgentCredentials;
  /** By its id. A client that lictor.yaml no longer accepts loses its logins. */
  readonly acceptsClient: (clientId: string) => boolean;
  /** The lifetime of browser sessions, and of what depends on them. */
  readonly limits: Config['sessions'];
  /** The lifetime of a login of a client, ms. Applies also to a login that began under a longer one. */
  readonly lifeMs: number;
  readonly clock: Clock;
  /** Asks the provider, with the grant's own tokens. */
  readonly confirm: Confirm<ClientGrant>;
  /** And with those of the browser session, for a grant that depends on one. */
  readonly confirmSession: Confirm;
}

export function createGrantStanding(parts: StandingParts): GrantStanding {
  return async (grant) => {
    // Checked first: another provider with the same id must get no rights of the former one.
    const ownEndMs = grantEndsMs(grant, parts);
    if (ownEndMs <= parts.clock() || !mayStand(parts, grant)) return ended();
    const confirmed = await confirmedOwner(parts, grant);
    if (confirmed === undefined) return ended();
    if ('refuse' in confirmed) return { ok: false, reason: confirmed.refuse === 'session-unconfirmed' ? 'session-unconfirmed' : 'login-ended' };
    const person = ownerPrincipal(confirmed.session.owner, parts);
    if (person === undefined) return ended();
    const acting = actingFor(parts, grant, person);
    if (!acting.ok) return acting;
    const { principal } = acting;
    const { sessionEnds, askAgainMs } = confirmed;
    return {
      ...{ ok: true, principal, endsMs: Math.min(ownEndMs, sessionEnds.absoluteMs) },
      untilMs: Math.min(ownEndMs, sessionEnds.nextMs, askAgainMs ?? Number.POSITIVE_INFINITY),
    };
  };
}

function mayStand(parts: StandingParts, { endedMs, clientId, owner }: ClientGrant): boolean {
  return endedMs === null && parts.acceptsClient(clientId) && isKnown(owner, parts);
}

type ActingFor = { readonly ok: true; readonly principal: Principal } | { readonly ok: false; readonly reason: ReasonCode };

/** The person, or the agent that the client is. */
function actingFor({ agents }: StandingParts, { clientId }: ClientGrant, person: Principal): ActingFor {
  const agent = agents.ofClient(clientId);
  if (agent === undefined) return { ok: true, principal: person };
  if (sponsorId(agent) !== person.id) return { ok: false, reason: 'agent-not-sponsor' };
  return person.grants.length === 0 ? { ok: false, reason: 'agent-sponsor-ended' } : { ok: true, principal: agentPrincipal(agent, person) };
}

/** Its own end, by the present `sessions.cli`. A session that it depends on may end before. */
export function grantEndsMs({ createdMs, expiresMs }: Pick<ClientGrant, 'createdMs' | 'expiresMs'>, { lifeMs }: Pick<StandingParts, 'lifeMs'>): number {
  return Math.min(expiresMs, createdMs + lifeMs);
}

/** The store of grants for `createConfirm`. */
export function confirmedGrants(grants: Pick<ClientGrants, 'byId' | 'setRefreshAfter' | 'end'>): ConfirmedStore<ClientGrant> {
  return {
    async byId(id) {
      const grant = await grants.byId(id);
      return grant?.endedMs === null ? grant : undefined;
    },
    setRefreshAfter: grants.setRefreshAfter,
    end: grants.end,
  };
}

/** Undefined: the session that it depends on has ended. Only the browser extends it by use, not the command line. */
async function confirmedOwner({ sessions, limits, clock, confirm, confirmSession }: StandingParts, grant: ClientGrant) {
  if (grant.sessionId === null) return { ...(await confirm(grant)), sessionEnds: NEVER };
  const session = await sessions.byId(grant.sessionId);
  if (session === undefined) return undefined;
  const sessionEnds = { absoluteMs: sessionAbsoluteEndMs(session, limits), nextMs: sessionEndsMs(session, limits) };
  return sessionEnds.nextMs <= clock() ? undefined : { ...(await confirmSession(session)), sessionEnds };
}

/** For a grant that depends on no session. */
const NEVER = { absoluteMs: Number.POSITIVE_INFINITY, nextMs: Number.POSITIVE_INFINITY } as const;

function ended(): Standing {
  return { ok: false, reason: 'login-ended' };
}
