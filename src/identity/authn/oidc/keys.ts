// The signatures of a provider that people log in at: which algorithms Lictor accepts, and when it fetches the keys again.
import { errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { createIssuerKeys, KEYS_TIMES } from '../issuer-keys.ts';
import type { Outbound } from '../outbound.ts';
import type { PublishedStatus } from '../published.ts';
import { fetchKeys } from '../published-keys.ts';

/** Asymmetric algorithms only. RFC 9864 writes EdDSA on that curve as `Ed25519`. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];

export interface Keys {
  readonly url: string;
  status(): PublishedStatus;
  /**
   * Checks the signature and `options`. Throws jose's errors, or OutboundError if the keys cannot be fetched.
   * `freshly`: the token came straight from the provider, so Lictor fetches an unknown key at once.
   */
  verify(token: string, options: JWTVerifyOptions & { readonly freshly: boolean }): Promise<JWTVerifyResult>;
}

/** Between the clocks of provider and gateway. */
export const CLOCK_TOLERANCE_SECONDS = 30;

export function createKeys(url: string, outbound: Pick<Outbound, 'fetch'>, { clock, steady }: { readonly clock: Clock; readonly steady: SteadyClock }): Keys {
  const times = { staleMs: KEYS_TIMES.freshMs, failurePauseMs: KEYS_TIMES.unknownMs };
  const keys = createIssuerKeys({ fetchKeys: () => fetchKeys(url, outbound), steady, ...times });
  return {
    url,
    status: keys.status,
    async verify(token, { freshly, ...options }) {
      const checks = { algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: new Date(clock()), ...options };
      try {
        return await jwtVerify(token, await keys.current(), checks);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        return await jwtVerify(token, await keys.newer(freshly ? 0 : KEYS_TIMES.unknownMs), checks);
      }
    },
  };
}
