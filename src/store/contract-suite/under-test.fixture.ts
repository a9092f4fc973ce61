// A store of any kind, as its contract is tried on it.
import type { Store } from '../store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** A second handle on the same data, as another process has one. */
  readonly other: Store;
  /** Writes `count` login attempts, `a1` to `aN`, without the store: one by one they take long. */
  fillAttempts(count: number): Promise<void>;
  cleanUp(): Promise<void>;
}

export const HOUR_MS = 3_600_000;
