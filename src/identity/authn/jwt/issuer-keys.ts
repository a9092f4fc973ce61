// The keys of one issuer: fetched when a token needs them, kept, and asked for again only so often as a flood may not drive it.
import { compactVerify, createLocalJWKSet, errors, type LocalJWKSet } from 'jose';
import type { JwtProvider } from '../../../config/config.ts';
import type { SteadyClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { Outbound } from '../outbound.ts';
import type { CompactJwt } from './compact.ts';
import { ALGORITHMS, isPlausibleKeyId } from './header.ts';
import { fetchKeys } from './published-keys.ts';

export const KEYS_TIMES = {
  /** Older ones are fetched again before they are used: so long does a withdrawn key live on. */
  freshMs: 10 * 60_000,
  /** What is used while the issuer cannot be reached. */
  staleMs: 60 * 60_000,
  /** Between two tries for a key that is not among those that are here. */
  unknownMs: 10_000,
  /** After a try that failed. */
  failedMs: 5_000,
} as const;

export interface IssuerKeys {
  /** True when exactly one key of the issuer fits and has signed it. Throws `gateway-unavailable` when there are no keys to try. */
  verify(token: CompactJwt): Promise<boolean>;
}

export interface IssuerKeysParts {
  readonly provider: Pick<JwtProvider, 'issuer' | 'jwksUri'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly steady: SteadyClock;
  /** The issuer could not be asked. */
  readonly onError: (error: unknown) => void;
}

interface Loaded {
  readonly keys: LocalJWKSet;
  readonly atMs: number;
}

export function createIssuerKeys(parts: IssuerKeysParts): IssuerKeys {
  const { steady } = parts;
  let loaded: Loaded | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  let failed = false;
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    triedMs = steady();
    try {
      loaded = { keys: createLocalJWKSet({ keys: [...(await fetchKeys(parts.provider, parts.outbound))] }), atMs: steady() };
      failed = false;
    } catch (error) {
      failed = true;
      parts.onError(error);
    }
  };
  /** One at a time, and not before its pause is over. Never rejects. */
  const loadAfter = (pauseMs: number): Promise<void> => {
    if (loading === undefined && steady() - triedMs < pauseMs) return Promise.resolve();
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };
  const usable = async (): Promise<LocalJWKSet> => {
    if (loaded === undefined || steady() - loaded.atMs >= KEYS_TIMES.freshMs) await loadAfter(failed ? KEYS_TIMES.failedMs : 0);
    if (loaded !== undefined && steady() - loaded.atMs < KEYS_TIMES.staleMs) return loaded.keys;
    throw new LictorError('gateway-unavailable', 'the keys of an issuer cannot be fetched', { detail: new URL(parts.provider.issuer).host });
  };

  return {
    async verify(token) {
      const keys = await usable();
      const first = await tryKeys(keys, token);
      if (first !== 'no-key' || !isPlausibleKeyId(token.header['kid'])) return first === 'signed';
      await loadAfter(KEYS_TIMES.unknownMs);
      return loaded !== undefined && loaded.keys !== keys && (await tryKeys(loaded.keys, token)) === 'signed';
    },
  };
}

/** Whatever goes wrong, a key that cannot be read too, is no. */
async function tryKeys(keys: LocalJWKSet, { text }: CompactJwt): Promise<'signed' | 'not-signed' | 'no-key'> {
  try {
    await compactVerify(text, keys, { algorithms: [...ALGORITHMS] });
    return 'signed';
  } catch (error) {
    return error instanceof errors.JWKSNoMatchingKey ? 'no-key' : 'not-signed';
  }
}
