// The grant that begins when a person allows a client to act for them, however the client asked.

import type { Config } from '../../config/config.ts';
import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewClientGrant } from '../../store/client-grants.ts';
import type { SessionOwner } from '../../store/owners.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Store } from '../../store/store.ts';
import { sealingOfTokens } from '../authn/external/confirm.ts';
import type { Proven } from '../authn/external/provider.ts';
import { createTokenId } from '../authn/service-token/token-text.ts';
import { sessionAbsoluteEndMs } from '../authn/session/session.ts';

export interface NewGrants {
  /** When a login that begins now ends at the latest. */
  latestEndMs(session: StoredSession): number;
  /** The grant that would result. Nothing is written yet. `offline`: the tokens that the provider issued for it. */
  prepare(asked: AskedGrant, session: StoredSession, offline: Proven | undefined): NewClientGrant;
  /** `write` stores the grant. False, as it answers: the login does not begin. */
  begin(grant: NewClientGrant, offline: Proven | undefined, write: () => Promise<boolean>): Promise<boolean>;
}

/** What the client asked the person for. */
export type AskedGrant = Pick<NewClientGrant, 'clientId' | 'scopes' | 'audience'>;

export interface NewGrantParts {
  readonly store: Pick<Store, 'idpTokens'>;
  readonly sealer: Sealer;
  /** The longest life of a login of a client. */
  readonly lifeMs: number;
  /** The life of a browser session: a login may depend on one. */
  readonly sessionLimits: Pick<Config['sessions'], 'absoluteSeconds'>;
  readonly clock: Clock;
}

export function createNewGrants(parts: NewGrantParts): NewGrants {
  const { store, sealer } = parts;
  return {
    latestEndMs: ({ owner }) => latestEndMs(parts, owner),
    prepare: (asked, session, offline) => prepare(parts, { asked, session, offline }),
    async begin({ id }, offline, write) {
      // First, so that Lictor can ask the provider from the first request on.
      if (offline?.stored != null) await store.idpTokens.put(id, sealer.seal(offline.stored, sealingOfTokens(id)));
      const begun = await write();
      if (!begun) await store.idpTokens.remove(id);
      return begun;
    },
  };
}

interface Preparing {
  readonly asked: AskedGrant;
  readonly session: StoredSession;
  readonly offline: Proven | undefined;
}

/**
 * Lictor itself knows its accounts. For others it can ask the provider only with separate tokens. Without them it would not notice
 * that a person has left, so the login depends on the browser session and ends with it.
 */
function prepare(parts: NewGrantParts, { asked, session, offline }: Preparing): NewClientGrant {
  const { owner } = session;
  const { clientId, scopes, audience } = asked;
  const common = { id: createTokenId(), clientId, scopes, audience, allowedIn: session.id };
  const latestMs = latestEndMs(parts, owner);
  if (owner.kind === 'account') {
    return { ...common, accountId: owner.account.id, identityId: null, sessionId: null, refreshAfterMs: null, expiresMs: latestMs };
  }
  const person = { accountId: null, identityId: owner.identityId };
  return offline?.refreshAfterMs == null
    ? {
        ...{ ...common, ...person, sessionId: session.id, refreshAfterMs: session.refreshAfterMs },
        expiresMs: Math.min(latestMs, sessionAbsoluteEndMs(session, parts.sessionLimits)),
      }
    : { ...common, ...person, sessionId: null, refreshAfterMs: offline.refreshAfterMs, expiresMs: latestMs };
}

function latestEndMs({ lifeMs, clock }: NewGrantParts, owner: SessionOwner): number {
  const latestMs = clock() + lifeMs;
  return owner.kind === 'account' ? Math.min(latestMs, owner.account.expiresMs ?? latestMs) : latestMs;
}
