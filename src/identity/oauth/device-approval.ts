// The person's side of a device login: finds the login of a code, and allows or denies it. The pages are elsewhere.

import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewClientGrant } from '../../store/client-grants.ts';
import type { StoredDeviceCode } from '../../store/device-codes.ts';
import type { Store } from '../../store/store.ts';
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import type { Proven } from '../authn/external/provider.ts';
import type { OAuthClient } from './clients.ts';
import { hashUserCode, parseUserCode } from './device-authorization.ts';
import type { NewGrants } from './new-grant.ts';

export interface DeviceApproval {
  /** The waiting login of a typed code. Wrong codes are counted by person and by address. */
  find(typed: string, who: { readonly principalId: string; readonly address: string }): Promise<FoundDevice | { readonly refuse: ReasonCode }>;
  /** The waiting login with the id from a page of Lictor. */
  byId(id: string): Promise<StoredDeviceCode | undefined>;
  clientName(clientId: string): string;
  /** The proof that a form must contain for a decision on this code in this session. */
  proofFor(code: Pick<StoredDeviceCode, 'id'>, sessionId: string): string;
  isProof(text: string, code: Pick<StoredDeviceCode, 'id'>, sessionId: string): boolean;
  /** False: decided before, expired, or the session has ended meanwhile. */
  allow(code: StoredDeviceCode, grant: NewClientGrant, offline: Proven | undefined): Promise<boolean>;
  deny(code: StoredDeviceCode): Promise<boolean>;
}

export interface FoundDevice {
  readonly userCode: string;
  readonly code: StoredDeviceCode;
}

export interface DeviceApprovalParts {
  readonly store: Pick<Store, 'deviceCodes'>;
  readonly newGrants: Pick<NewGrants, 'begin'>;
  readonly sealer: Sealer;
  readonly clients: readonly OAuthClient[];
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
    allow: (code, grant, offline) => parts.newGrants.begin(grant, offline, () => store.deviceCodes.decide(code.id, grant)),
    deny: ({ id }) => store.deviceCodes.decide(id, null),
  };
}

function aboutDecision(sessionId: string): string {
  return `decision on a device login in session ${sessionId}`;
}
