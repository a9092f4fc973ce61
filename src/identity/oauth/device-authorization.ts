// The beginning of a device login (RFC 8628 3.1): a code for the device, and a short one for the person.
import { createHash, randomInt } from 'node:crypto';
import type { PublicUrl } from '../../config/config.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import { OWN_PREFIX } from '../../contract/names.ts';
import { guesserKey } from '../../contract/network.ts';
import { DEVICE_CODE_LIMITS, type DeviceCodes } from '../../store/device-codes.ts';
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import type { OAuthClient } from './clients.ts';
import { parseForm } from './form.ts';
import { type Given, isRefusal } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';
import { parseRequested } from './requested.ts';
import { refusalAnswer, type TokenAnswer, type TokenRequest } from './token-endpoint.ts';

export interface DeviceAuthorizationParts {
  readonly deviceCodes: Pick<DeviceCodes, 'create'>;
  readonly clients: readonly OAuthClient[];
  readonly publicUrl: PublicUrl;
  readonly steady: SteadyClock;
}

/** Within a minute of the first, by address. */
export const DEVICE_BEGIN_LIMITS = { perMinute: 30, windowMs: 60_000, keys: 10_000 } as const;

/** Consonants, so that no words result, and no similar letters (RFC 8628 6.1). 20^8 is 34 bits, for ten minutes, and only after a login. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const USER_CODE_LENGTH = 8;
const LONGEST_USER_AGENT = 200;

export function createDeviceAuthorization(parts: DeviceAuthorizationParts): (request: TokenRequest) => Promise<TokenAnswer> {
  const begun = createBoundedCounter(parts.steady, DEVICE_BEGIN_LIMITS);
  return async (request) => {
    const key = guesserKey(request.address);
    if (begun.add(key) > DEVICE_BEGIN_LIMITS.perMinute) {
      const retryAfterSeconds = Math.max(1, Math.ceil(begun.leftMs(key) / 1000));
      return refusalAnswer({ ok: false, error: 'temporarily_unavailable', reason: 'rate-limited', retryAfterSeconds }, request);
    }
    const answer = await begin(parts, request);
    return isRefusal(answer) ? refusalAnswer(answer, request) : { status: 200, headers: { 'cache-control': 'no-store' }, body: answer };
  };
}

async function begin({ deviceCodes, clients, publicUrl }: DeviceAuthorizationParts, request: TokenRequest): Promise<Given | OAuthRefusal> {
  const form = parseForm(request.contentType, request.body);
  if (typeof form === 'string') return refuseRequest(form);
  const client = clients.find(({ id }) => id === form.get('client_id'));
  if (client === undefined) return { ok: false, error: 'invalid_client', reason: 'client-unknown' };
  const requested = parseRequested(form, publicUrl);
  if ('error' in requested) return requested;
  const { id, text } = createTokenText(createTokenId(), 'lcd_');
  const userCode = createUserCode();
  const userAgent = (request.userAgent ?? '').slice(0, LONGEST_USER_AGENT);
  await deviceCodes.create({
    id,
    hash: hashToken(text),
    userHash: hashUserCode(userCode),
    clientId: client.id,
    ...requested,
    address: request.address,
    userAgent,
  });
  const page = `${publicUrl.origin}${publicUrl.basePath}${OWN_PREFIX}device`;
  return {
    device_code: text,
    user_code: userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${userCode}`,
    expires_in: DEVICE_CODE_LIMITS.lifeMs / 1000,
    interval: DEVICE_CODE_LIMITS.intervalMs / 1000,
  };
}

function createUserCode(): string {
  const letters = Array.from({ length: USER_CODE_LENGTH }, () => LETTERS[randomInt(LETTERS.length)] ?? '').join('');
  return spellUserCode(letters);
}

function spellUserCode(letters: string): string {
  return `${letters.slice(0, USER_CODE_LENGTH / 2)}-${letters.slice(USER_CODE_LENGTH / 2)}`;
}

/** As a person types it: in any case, with or without dash and spaces. Undefined: not a possible code. */
export function parseUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  return letters.length === USER_CODE_LENGTH && [...letters].every((letter) => LETTERS.includes(letter)) ? spellUserCode(letters) : undefined;
}

export function hashUserCode(userCode: string): string {
  return createHash('sha256').update(`user code ${userCode}`).digest('hex');
}
