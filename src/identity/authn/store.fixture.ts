// For tests: a store in a temporary directory, a clock that the test controls, and shortcuts that create tokens and accounts.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSealer, type Sealer } from '../../config/keys/sealer.ts';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import type { Scope } from '../../contract/scope.ts';
import { writeNewStore } from '../../store/new-store.fixture.ts';
import { openStore, type Store } from '../../store/store.ts';
import { createTokenId, createTokenText, hashToken, type TokenText } from './service-token/token-text.ts';

export interface TestStore {
  readonly store: Store;
  readonly sealer: Sealer;
  /** The directory of its files. */
  readonly directory: string;
  readonly clock: () => number;
  /** Advances with the clock, but does not step with it. */
  readonly steady: () => number;
  advance(ms: number): void;
  /** Steps the wall clock back (below 0) or ahead. */
  putClock(ms: number): void;
  /** Creates a service token and returns its text. */
  token(token?: {
    readonly name?: string;
    readonly roles?: readonly string[];
    readonly cidrs?: readonly string[];
    readonly lifetimeMs?: number;
    readonly scope?: Scope | null;
  }): Promise<TokenText>;
  rotate(id: string, overlapMs: number): Promise<TokenText>;
  close(): Promise<void>;
}

export async function openTestStore(startMs = 1_700_000_000_000): Promise<TestStore> {
  const dir = makeMemoryDir('lictor-authn-');
  let nowMs = startMs;
  let putMs = 0;
  const clock = (): number => nowMs + putMs;
  const file = join(dir, 'lictor.db');
  await writeNewStore(file);
  const store = await openStore({ at: file, clock });
  return {
    store,
    sealer: openSealer(join(dir, 'seal.key')),
    directory: dir,
    clock,
    steady: () => nowMs - startMs,
    advance: (ms) => {
      nowMs += ms;
    },
    putClock: (ms) => {
      putMs += ms;
    },
    async token({ name = 'etl', roles = ['worker'], cidrs = [], lifetimeMs, scope = null } = {}) {
      const text = createTokenText(createTokenId());
      await store.tokens.create({ id: text.id, name, roles, scope, cidrs, lifetimeMs: lifetimeMs ?? null, hash: hashToken(text.text) });
      return text;
    },
    async rotate(id, overlapMs) {
      const text = createTokenText(id);
      await store.tokens.rotate({ id, hash: hashToken(text.text), overlapMs });
      return text;
    },
    async close() {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
}
