// A provider's signing keys: which algorithms count, and how often they are asked for.
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose';
import type { Clock } from '../../../contract/clock.ts';
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
/** So long does a withdrawn key live on. */
const MAX_AGE_MS = 10 * 60_000;
/** Between the clocks of provider and gateway. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** jose tells the age of keys by the wall clock: where that was put back they would be young for as long. So it is told here too, by the steady one. */
export function createKeys(url: string, outbound: Pick<Outbound, 'fetch'>, { clock, steady }: Readonly<Record<'clock' | 'steady', Clock>>): Keys {
  let failedMs = Number.NEGATIVE_INFINITY;
  let fetchedMs: number | undefined;
  const isOlderThan = (ms: number): boolean => fetchedMs !== undefined && steady() - fetchedMs >= ms;
  const fetchKeys = async (address: string | URL): Promise<Response> => {
    if (steady() - failedMs < PAUSE_MS) throw new OutboundError(`${new URL(url).host} gave no keys a moment ago`);
    const answer = await outbound.fetch(address, { headers: { accept: 'application/json, application/jwk-set+json' } }).catch((error: unknown) => {
      failedMs = steady();
      throw error;
    });
    if (answer.status === 200) {
      fetchedMs = steady();
      return answer;
    }
    failedMs = steady();
    throw new OutboundError(`${new URL(url).host} answered ${answer.status} for its keys`);
  };
  const keySet = createRemoteJWKSet(new URL(url), { [customFetch]: fetchKeys, cooldownDuration: PAUSE_MS, cacheMaxAge: MAX_AGE_MS });
  return {
    url,
    async verify(token, { freshly, ...options }) {
      const checks = { algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: new Date(clock()), ...options };
      if (isOlderThan(MAX_AGE_MS)) await keySet.reload();
      try {
        return await jwtVerify(token, keySet, checks);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(freshly || isOlderThan(PAUSE_MS))) throw error;
        await keySet.reload();
        return await jwtVerify(token, keySet, checks);
      }
    },
  };
}
