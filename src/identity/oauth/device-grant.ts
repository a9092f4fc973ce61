// The device's side of its login (RFC 8628 3.4): it polls until the person has decided in the browser.

import type { Clock } from '../../contract/clock.ts';
import type { ClientGrant, ClientGrants } from '../../store/client-grants.ts';
import type { DeviceCodes, StoredDeviceCode } from '../../store/device-codes.ts';
import { hashToken, isSameHash, parseTokenText } from '../authn/service-token/token-text.ts';
import type { OAuthClient } from './clients.ts';
import type { Form } from './form.ts';
import { createGrantTokens, type Person, type PersonParts, personOf } from './grant-tokens.ts';
import type { SignIdToken } from './id-token.ts';
import type { Grant, Issued } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';

export const DEVICE_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

export interface DeviceGrantParts extends PersonParts {
  readonly deviceCodes: Pick<DeviceCodes, 'byId' | 'poll' | 'redeem'>;
  readonly grants: Pick<ClientGrants, 'byId'>;
  readonly clients: readonly OAuthClient[];
  readonly signIdToken: SignIdToken;
  readonly clock: Clock;
}

export function createDeviceGrant(parts: DeviceGrantParts): Grant {
  return async (form, address) => {
    const code = await findCode(parts, form);
    if ('error' in code) return code;
    const waiting = await checkState(parts, code);
    if (waiting !== undefined) return waiting;
    const grant = code.grantId === null ? undefined : await parts.grants.byId(code.grantId);
    if (grant === undefined) return unknown();
    const person = await personOf(parts, grant, address);
    return person.ok ? issued(parts, { code, grant, person }) : person;
  };
}

/** A code of another client is treated as unknown. */
async function findCode({ deviceCodes, clients }: DeviceGrantParts, form: Form): Promise<StoredDeviceCode | OAuthRefusal> {
  const clientId = form.get('client_id');
  if (!clients.some(({ id }) => id === clientId)) return { ok: false, error: 'invalid_client', reason: 'client-unknown' };
  const text = form.get('device_code');
  if (text === undefined) return refuseRequest('device_code is needed.');
  const parsed = parseTokenText(text, 'lcd_');
  const code = parsed === undefined ? undefined : await deviceCodes.byId(parsed.id);
  const known = code !== undefined && isSameHash(code.hash, hashToken(text)) && code.clientId === clientId;
  return known ? code : unknown();
}

/** Undefined: allowed, and not used yet. */
async function checkState({ deviceCodes, clock }: DeviceGrantParts, { id, state, expiresMs }: StoredDeviceCode): Promise<OAuthRefusal | undefined> {
  if (state === 'used') return unknown();
  if (state === 'denied') return { ok: false, error: 'access_denied', reason: 'device-denied' };
  if (expiresMs <= clock()) return { ok: false, error: 'expired_token', reason: 'device-expired' };
  if (!(await deviceCodes.poll(id))) return { ok: false, error: 'slow_down', reason: 'device-slow-down' };
  return state === 'pending' ? { ok: false, error: 'authorization_pending', reason: 'device-pending' } : undefined;
}

interface Allowed {
  readonly code: StoredDeviceCode;
  readonly grant: ClientGrant;
  readonly person: Person;
}

function issued({ deviceCodes, signIdToken, clock }: DeviceGrantParts, { code, grant, person: { principal, endsMs } }: Allowed): Issued {
  const tokens = createGrantTokens(grant, endsMs, clock);
  return {
    ok: true,
    principal,
    proofId: `device:${code.id}`,
    tokenId: tokens.tokenId,
    grantId: grant.id,
    async issue() {
      const idToken = code.openid ? await signIdToken({ subject: principal.id, clientId: grant.clientId }) : undefined;
      if (!(await deviceCodes.redeem(code.id, tokens.stored))) return unknown();
      return { ...tokens.body, ...(idToken !== undefined && { id_token: idToken }) };
    },
  };
}

function unknown(): OAuthRefusal {
  return { ok: false, error: 'invalid_grant', reason: 'device-unknown' };
}
