// Does a login of the command line still stand, and for whom? Asked at every decision and at every refresh.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { ClientGrant, ClientGrants } from '../../../store/client-grants.ts';
import type { Sessions } from '../../../store/sessions.ts';
import type { Confirm, ConfirmedStore } from '../external/confirm.ts';
import type { RoleBook } from '../roles.ts';
import { isKnown, ownerPrincipal, sessionAbsoluteEndMs, sessionEndsMs } from '../session/session.ts';

export type Standing =
  | {
      readonly ok: true;
      /** As the provider and lictor.yaml have it now. */
      readonly principal: Principal;
      /** Nothing that is decided on it may be remembered longer. */
      readonly untilMs: number;
      /** When it is over whatever anybody does: by its own end, or the absolute one of the session that it stands on. */
      readonly endsMs: number;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

export type GrantStanding = (grant: ClientGrant) => Promise<Standing>;

export interface StandingParts {
  readonly sessions: Pick<Sessions, 'byId'>;
  readonly providers: Config['identityProviders'];
  readonly roleBook: RoleBook;
  /** How long a browser session lives, and with it what stands on it. */
  readonly limits: Config['sessions'];
  /** How long a login of the command line lives, ms: also one that was begun when it was longer. */
  readonly lifeMs: number;
  readonly clock: Clock;
  /** Asks the provider by the grant's own tokens. */
  readonly confirm: Confirm<ClientGrant>;
  /** And by those of the browser session, for a grant that stands on one. */
  readonly confirmSession: Confirm;
}

export function createGrantStanding(parts: StandingParts): GrantStanding {
  return async (grant) => {
    // Before anybody is asked: another provider of the same id gets none of what the former one gave.
    const ownEndMs = grantEndsMs(grant, parts);
    if (grant.endedMs !== null || ownEndMs <= parts.clock() || !isKnown(grant.owner, parts)) return ended();
    const confirmed = await confirmedOwner(parts, grant);
    if (confirmed === undefined) return ended();
    if ('refuse' in confirmed) return { ok: false, reason: confirmed.refuse === 'session-unconfirmed' ? 'session-unconfirmed' : 'login-ended' };
    const principal = ownerPrincipal(confirmed.session.owner, parts);
    if (principal === undefined) return ended();
    const { sessionEnds, askAgainMs } = confirmed;
    return {
      ...{ ok: true, principal, endsMs: Math.min(ownEndMs, sessionEnds.absoluteMs) },
      untilMs: Math.min(ownEndMs, sessionEnds.nextMs, askAgainMs ?? Number.POSITIVE_INFINITY),
    };
  };
}

/** Its own end, by `sessions.cli` as it is now. A session that it stands on may end before. */
export function grantEndsMs({ createdMs, expiresMs }: Pick<ClientGrant, 'createdMs' | 'expiresMs'>, { lifeMs }: Pick<StandingParts, 'lifeMs'>): number {
  return Math.min(expiresMs, createdMs + lifeMs);
}

/** What `createConfirm` keeps grants in. */
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

/** Undefined: the session that it stands on is over, or gone. The command line does not keep it in use: only the browser does. */
async function confirmedOwner({ sessions, limits, clock, confirm, confirmSession }: StandingParts, grant: ClientGrant) {
  if (grant.sessionId === null) return { ...(await confirm(grant)), sessionEnds: NEVER };
  const session = await sessions.byId(grant.sessionId);
  if (session === undefined) return undefined;
  const sessionEnds = { absoluteMs: sessionAbsoluteEndMs(session, limits), nextMs: sessionEndsMs(session, limits) };
  return sessionEnds.nextMs <= clock() ? undefined : { ...(await confirmSession(session)), sessionEnds };
}

/** Of a session that it does not stand on. */
const NEVER = { absoluteMs: Number.POSITIVE_INFINITY, nextMs: Number.POSITIVE_INFINITY } as const;

function ended(): Standing {
  return { ok: false, reason: 'login-ended' };
}
