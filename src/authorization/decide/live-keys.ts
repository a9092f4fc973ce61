// Counts the decisions that nginx may have cached, so that endless keys (ids, user names) cannot fill its tmpfs.
import type { Clock } from '../../contract/clock.ts';

export interface LiveKeys {
  /** True: nginx may cache a decision under this key, and the key counts. False: answer with no-store. */
  admit(principalId: string, key: string): boolean;
  /** After a sweep nothing is cached. */
  clear(): void;
}

export interface LiveKeysLimits {
  readonly perPrincipal: number;
  readonly total: number;
  /** The longest time of a file in nginx's cache: `inactive` of its cache path. */
  readonly lifeMs: number;
}

/** 8,000 files of one 4 KiB block are half of the cache's 64 MiB. */
export const LIVE_KEYS_LIMITS: LiveKeysLimits = { perPrincipal: 2000, total: 8000, lifeMs: 40_000 };

export function createLiveKeys(steady: Clock, limits: LiveKeysLimits = LIVE_KEYS_LIMITS): LiveKeys {
  const keys = new Map<string, { readonly principalId: string; expiresAtMs: number }>();
  const perPrincipal = new Map<string, number>();

  const forget = (key: string, principalId: string): void => {
    keys.delete(key);
    const left = (perPrincipal.get(principalId) ?? 1) - 1;
    if (left > 0) perPrincipal.set(principalId, left);
    else perPrincipal.delete(principalId);
  };
  /** Insertion order is expiry order, since a refreshed key is inserted anew. */
  const prune = (now: number): void => {
    for (const [key, entry] of keys) {
      if (entry.expiresAtMs > now) return;
      forget(key, entry.principalId);
    }
  };

  return {
    admit(principalId, key) {
      const now = steady();
      prune(now);
      const known = keys.get(key);
      if (known !== undefined) forget(key, known.principalId);
      const count = perPrincipal.get(principalId) ?? 0;
      if (count >= limits.perPrincipal || keys.size >= limits.total) return false;
      keys.set(key, { principalId, expiresAtMs: now + limits.lifeMs });
      perPrincipal.set(principalId, count + 1);
      return true;
    },
    clear() {
      keys.clear();
      perPrincipal.clear();
    },
  };
}
