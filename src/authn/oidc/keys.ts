// A provider's signing keys: which algorithms count, and how often they are asked for.
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose';
import type { Clock } from '../../contract/clock.ts';
import { type Outbound, OutboundError } from '../outbound.ts';

/** Signatures by a key pair, and none weaker. `Ed25519` is what RFC 9864 calls EdDSA on that curve. */
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];

export interface Keys {
  readonly url: string;
  /**
   * Checks the signature and what `options` ask for. Throws jose's errors, or OutboundError when the keys cannot be had.
   * `freshly`: the token came straight from the provider, so an unknown key is a new one and worth asking for at once.
   */
  verify(token: string, options: JWTVerifyOptions & { readonly freshly: boolean }): Promise<JWTVerifyResult>;
}

/** After an unknown key, or a failure, the provider is not asked again for so long: a flood of forged tokens costs it nothing. */
const PAUSE_MS = 10_000;
const MAX_AGE_MS = 10 * 60_000;
/** Between the clocks of provider and gateway. */
export const CLOCK_TOLERANCE_SECONDS = 30;

export function createKeys(url: string, outbound: Pick<Outbound, 'fetch'>, clock: Clock): Keys {
  let failedMs = Number.NEGATIVE_INFINITY;
  const fetchKeys = async (address: string | URL): Promise<Response> => {
    if (clock() - failedMs < PAUSE_MS) throw new OutboundError(`${new URL(url).host} gave no keys a moment ago`);
    const answer = await outbound.fetch(address, { headers: { accept: 'application/json, application/jwk-set+json' } }).catch((error: unknown) => {
      failedMs = clock();
      throw error;
    });
    if (answer.status === 200) return answer;
    failedMs = clock();
    throw new OutboundError(`${new URL(url).host} answered ${answer.status} for its keys`);
  };
  const keySet = createRemoteJWKSet(new URL(url), { [customFetch]: fetchKeys, cooldownDuration: PAUSE_MS, cacheMaxAge: MAX_AGE_MS });
  return {
    url,
    async verify(token, { freshly, ...options }) {
      const checks = { algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: new Date(clock()), ...options };
      try {
        return await jwtVerify(token, keySet, checks);
      } catch (error) {
        if (!freshly || !(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await keySet.reload();
        return await jwtVerify(token, keySet, checks);
      }
    },
  };
}
