// The person's side of a device login: which one a code names, and letting it in or not. What is shown and clicked is the pages' business.

import type { Config } from '../../config/config.ts';
import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewClientGrant } from '../../store/client-grants.ts';
import type { StoredDeviceCode } from '../../store/device-codes.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Store } from '../../store/store.ts';
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import { aboutTokens } from '../authn/external/kept-tokens.ts';
import type { Proven } from '../authn/external/provider.ts';
import { createTokenId } from '../authn/service-token/token-text.ts';
import { sessionAbsoluteEndMs } from '../authn/session/session.ts';
import type { OAuthClient } from './clients.ts';
import { hashUserCode, parseUserCode } from './device-authorization.ts';

export interface DeviceApproval {
  /** The login that waits for a typed code; wrong codes are counted by person and by address. */
  find(typed: string, who: { readonly principalId: string; readonly address: string }): Promise<FoundDevice | { readonly refuse: ReasonCode }>;
  /** One that waits, by the id that a page of ours carried. */
  byId(id: string): Promise<StoredDeviceCode | undefined>;
  clientName(clientId: string): string;
  /** What a form must carry to decide on this code in this session. */
  proofFor(code: Pick<StoredDeviceCode, 'id'>, sessionId: string): string;
  isProof(text: string, code: Pick<StoredDeviceCode, 'id'>, sessionId: string): boolean;
  /** The grant that would come of it; nothing is written yet. `offline`: what the provider gave for it alone. */
  prepare(code: StoredDeviceCode, session: StoredSession, offline: Proven | undefined): NewClientGrant;
  /** False: decided before, too old, or the session has ended meanwhile. */
  allow(code: StoredDeviceCode, grant: NewClientGrant, offline: Proven | undefined): Promise<boolean>;
  deny(code: StoredDeviceCode): Promise<boolean>;
}

export interface FoundDevice {
  readonly userCode: string;
  readonly code: StoredDeviceCode;
}

export interface DeviceApprovalParts {
  readonly store: Pick<Store, 'deviceCodes' | 'idpTokens'>;
  readonly sealer: Sealer;
  readonly clients: readonly OAuthClient[];
  /** How long a login of the command line lives at most. */
  readonly lifeMs: number;
  /** How long a browser session lives: a login may stand on one. */
  readonly sessionLimits: Pick<Config['sessions'], 'absoluteSeconds'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

/** Wrong codes within a minute of the first, for a person and for an address. */
export const USER_CODE_LIMITS = { wrong: 10, windowMs: 60_000, keys: 10_000 } as const;

export function createDeviceApproval(parts: DeviceApprovalParts): DeviceApproval {
  const { store, sealer, clients, clock } = parts;
  const wrong = createBoundedCounter(parts.steady, USER_CODE_LIMITS);
  return {
    async find(typed, { principalId, address }) {
      const keys = [`person ${principalId}`, `address ${guesserKey(address)}`];
      if (keys.some((key) => wrong.count(key) >= USER_CODE_LIMITS.wrong)) return { refuse: 'device-throttled' };
      const userCode = parseUserCode(typed);
      const code = userCode === undefined ? undefined : await store.deviceCodes.byUserHash(hashUserCode(userCode));
      if (userCode !== undefined && code !== undefined) return { userCode, code };
      for (const key of keys) wrong.add(key);
      return { refuse: 'device-unknown' };
    },
    byId: async (id) => {
      const code = await store.deviceCodes.byId(id);
      return code?.state === 'pending' && code.expiresMs > clock() ? code : undefined;
    },
    clientName: (clientId) => clients.find(({ id }) => id === clientId)?.name ?? clientId,
    proofFor: ({ id }, sessionId) => sealer.seal(id, aboutDecision(sessionId)),
    isProof: (text, { id }, sessionId) => sealer.open(text, aboutDecision(sessionId)) === id,
    prepare: (code, session, offline) => prepare(parts, { code, session, offline }),
    async allow(code, grant, offline) {
      // First, so that the provider can be asked from the first request on.
      if (offline?.stored != null) await store.idpTokens.put(grant.id, sealer.seal(offline.stored, aboutTokens(grant.id)));
      const allowed = await store.deviceCodes.decide(code.id, grant);
      if (!allowed) await store.idpTokens.remove(grant.id);
      return allowed;
    },
    deny: ({ id }) => store.deviceCodes.decide(id, null),
  };
}

function aboutDecision(sessionId: string): string {
  return `decision on a device login in session ${sessionId}`;
}

interface Preparing {
  readonly code: StoredDeviceCode;
  readonly session: StoredSession;
  readonly offline: Proven | undefined;
}

/**
 * An account is known to the gateway itself; tokens of its own let a provider be asked. Without them nobody would notice that a
 * person is gone, so the login stands on the browser session, and ends with it.
 */
function prepare({ lifeMs, sessionLimits, clock }: DeviceApprovalParts, { code, session, offline }: Preparing): NewClientGrant {
  const { owner } = session;
  const common = { id: createTokenId(), clientId: code.clientId, scopes: code.scopes, audience: code.audience, allowedIn: session.id };
  const longest = clock() + lifeMs;
  if (owner.kind === 'account') {
    const expiresMs = Math.min(longest, owner.account.expiresMs ?? longest);
    return { ...common, accountId: owner.account.id, identityId: null, sessionId: null, refreshAfterMs: null, expiresMs };
  }
  const person = { accountId: null, identityId: owner.identityId };
  return offline?.refreshAfterMs == null
    ? {
        ...{ ...common, ...person, sessionId: session.id, refreshAfterMs: session.refreshAfterMs },
        expiresMs: Math.min(longest, sessionAbsoluteEndMs(session, sessionLimits)),
      }
    : { ...common, ...person, sessionId: null, refreshAfterMs: offline.refreshAfterMs, expiresMs: longest };
}
