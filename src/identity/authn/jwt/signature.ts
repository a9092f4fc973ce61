// The signature of a workload's token, by the keys of its issuer.
import { compactVerify, errors, type LocalJWKSet } from 'jose';
import type { JwtProvider } from '../../../config/config.ts';
import type { SteadyClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import { createIssuerKeys, KEYS_TIMES } from '../issuer-keys.ts';
import type { Outbound } from '../outbound.ts';
import type { PublishedStatus } from '../published.ts';
import { discoverKeys } from '../published-keys.ts';
import type { CompactJwt } from './compact.ts';
import { ALGORITHMS, isPlausibleKeyId } from './header.ts';

export const OUTAGE_TIMES = {
  /** The age up to which Lictor uses keys while the issuer does not answer. */
  staleMs: 60 * 60_000,
  /** After a fetch that failed. */
  failurePauseMs: 5_000,
} as const;

export interface SignatureVerifier {
  /** Of the keys of the issuer. */
  status(): PublishedStatus;
  /** True when exactly one key of the issuer fits and has signed it. Throws `gateway-unavailable` when there are no keys to try. */
  verify(token: CompactJwt): Promise<boolean>;
}

export interface SignatureVerifierParts {
  readonly provider: Pick<JwtProvider, 'issuer' | 'jwksUri'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly steady: SteadyClock;
  /** The keys could not be fetched. */
  readonly onError: (error: unknown) => void;
}

export function createSignatureVerifier({ provider, outbound, steady, onError }: SignatureVerifierParts): SignatureVerifier {
  const fetchKeys = async () => {
    try {
      return await discoverKeys(provider, outbound);
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  const issuerKeys = createIssuerKeys({ fetchKeys, steady, ...OUTAGE_TIMES });
  const unavailable = (): never => {
    throw new LictorError('gateway-unavailable', 'the keys of an issuer cannot be fetched', { detail: new URL(provider.issuer).host });
  };
  return {
    status: issuerKeys.status,
    async verify(token) {
      const keys = await issuerKeys.current().catch(unavailable);
      const first = await tryKeys(keys, token);
      if (first !== 'no-key' || !isPlausibleKeyId(token.header['kid'])) return first === 'signed';
      const newer = await issuerKeys.newer(KEYS_TIMES.unknownMs).catch(() => keys);
      return (await tryKeys(newer, token)) === 'signed';
    },
  };
}

/** Every error denies, also an unreadable key. */
async function tryKeys(keys: LocalJWKSet, { text }: CompactJwt): Promise<'signed' | 'not-signed' | 'no-key'> {
  try {
    await compactVerify(text, keys, { algorithms: [...ALGORITHMS] });
    return 'signed';
  } catch (error) {
    return error instanceof errors.JWKSNoMatchingKey ? 'no-key' : 'not-signed';
  }
}
