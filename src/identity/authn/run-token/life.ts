// Does the run continue? Lictor finds an end that bypassed the gateway when the run's token is used.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import { AT_ONCE, type Clock, type SteadyClock } from '../../../contract/clock.ts';
import { field, isObject, type JsonValue } from '../../../contract/json/tree.ts';
import { isTerminal } from '../../../prefect/client/states.ts';
import type { RunTokens, StoredRunToken } from '../../../store/run-tokens.ts';
import { RUN_TOKEN_TIMES } from './times.ts';

export interface LifeParts {
  readonly store: Pick<RunTokens, 'endOf' | 'renew'>;
  /** Asks Prefect. The answer may be some seconds old. */
  readonly lookup: (path: string) => Promise<JsonValue | null>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** Prefect did not answer. */
  readonly onError: (error: unknown) => void;
}

export interface Life {
  /** When the token ends. Null: its run continues, or Prefect does not answer and no end is known. */
  endOf(token: StoredRunToken): Promise<number | null>;
}

/** Simultaneous runs. */
const CACHED = 10_000;

interface Look {
  /** When Prefect was asked, by the steady clock. */
  readonly atMs: number;
  readonly end: Promise<number | null>;
  isRenewed: boolean;
}

export function createLife(parts: LifeParts): Life {
  const { steady, onError } = parts;
  const looked = new LRUCache<string, Look>(atMostEntries(CACHED));
  /** The former answer counts until its own end, and no request waits for this one. */
  const renew = (token: StoredRunToken, before: Look): void => {
    before.isRenewed = true;
    const made: Look = { atMs: steady(), end: look(parts, token), isRenewed: false };
    made.end.then(() => looked.peek(token.hash) === before && looked.set(token.hash, made), onError);
  };
  return {
    async endOf(token) {
      if (token.endedMs !== null) return token.endedMs;
      const nowMs = steady();
      const known = looked.get(token.hash);
      if (known !== undefined && nowMs - known.atMs < RUN_TOKEN_TIMES.lookEveryMs) {
        if (nowMs - known.atMs >= RUN_TOKEN_TIMES.lookEveryMs / 2 && !known.isRenewed) renew(token, known);
        return known.end;
      }
      // Without Prefect no request of the run can succeed. The token's life still ends.
      const end = look(parts, token).catch((error: unknown) => {
        onError(error);
        return null;
      });
      looked.set(token.hash, { atMs: nowMs, end, isRenewed: false });
      return end;
    },
  };
}

/** When the token ends, by Prefect's present answer. Null: its run continues. Rejects if Prefect does not answer. */
export async function look({ store, lookup, clock }: Pick<LifeParts, 'store' | 'lookup' | 'clock'>, token: StoredRunToken): Promise<number | null> {
  const nowMs = clock();
  const run = await lookup(`/api/flow_runs/${token.flowRunId}`);
  const endedMs = endedAt(run, nowMs);
  if (endedMs !== null) {
    await store.endOf(token.flowRunId, endedMs);
    return endedMs;
  }
  // Its lifetime starts again, at most every few minutes.
  if (token.expiresMs - nowMs < RUN_TOKEN_TIMES.lifeMs - RENEW_EVERY_MS) await store.renew(token.hash, nowMs + RUN_TOKEN_TIMES.lifeMs);
  return null;
}

const RENEW_EVERY_MS = 300_000;

/** A removed run has ended at once. By the clock that is behind, so that a wrong clock cannot extend the token. */
function endedAt(run: JsonValue | null, nowMs: number): number | null {
  if (run === null || !isObject(run)) return AT_ONCE;
  const state = field(run, 'state');
  if (!isObject(state) || !isTerminal(field(state, 'type'))) return null;
  const timestamp = Date.parse(String(field(state, 'timestamp')));
  return (Number.isNaN(timestamp) ? nowMs : Math.min(timestamp, nowMs)) + RUN_TOKEN_TIMES.graceMs;
}
