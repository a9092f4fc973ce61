// The signing keys of one issuer, cached for logins and workloads. A flood of forged tokens cannot make Lictor fetch them more often.
import { createLocalJWKSet, type JWK, type LocalJWKSet } from 'jose';
import type { SteadyClock } from '../../contract/clock.ts';
import { createPublished, type PublishedStatus } from './published.ts';

export const KEYS_TIMES = {
  /** Lictor fetches older keys again before it uses them. A withdrawn key is valid for this long. */
  freshMs: 10 * 60_000,
  /** Between two fetches because of a key ID that is not in the set. */
  unknownMs: 10_000,
} as const;

export interface IssuerKeys {
  status(): PublishedStatus;
  /** Throws what `fetchKeys` throws if there are no usable keys. */
  current(): Promise<LocalJWKSet>;
  /** Fetches again for an unknown key ID, at most once in `pauseMs`. Throws like `current`. */
  newer(pauseMs: number): Promise<LocalJWKSet>;
}

export interface IssuerKeysParts {
  readonly fetchKeys: () => Promise<readonly JWK[]>;
  readonly steady: SteadyClock;
  /** The age up to which Lictor uses keys while the issuer does not answer. */
  readonly staleMs: number;
  readonly failurePauseMs: number;
}

/** jose's `createRemoteJWKSet` measures the age of keys by the wall clock, which may step. So this cache uses its local set. */
export function createIssuerKeys({ fetchKeys, staleMs, ...parts }: IssuerKeysParts): IssuerKeys {
  const published = createPublished({ ...parts, load: async () => createLocalJWKSet({ keys: [...(await fetchKeys())] }) });
  return {
    status: published.status,
    async current() {
      const known = published.latest();
      if (known !== undefined && known.ageMs < KEYS_TIMES.freshMs) return known.value;
      try {
        return await published.read();
      } catch (error) {
        const stale = published.latest();
        if (stale !== undefined && stale.ageMs < staleMs) return stale.value;
        throw error;
      }
    },
    newer: published.read,
  };
}
