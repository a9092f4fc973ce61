// Does the run go on? What ended without the gateway is found out when its token is used.
import { LRUCache } from 'lru-cache';
import { AT_ONCE, type Clock, type SteadyClock } from '../../../contract/clock.ts';
import { field, isObject, type JsonValue } from '../../../contract/json/tree.ts';
import { isTerminal } from '../../../prefect/client/states.ts';
import type { RunTokens, StoredRunToken } from '../../../store/run-tokens.ts';
import { RUN_TOKEN_TIMES } from './times.ts';

export interface LifeParts {
  readonly store: Pick<RunTokens, 'endOf' | 'renew'>;
  /** Asks Prefect; may be some seconds old. */
  readonly lookup: (path: string) => Promise<JsonValue | null>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** Prefect could not be asked. */
  readonly onError: (error: unknown) => void;
}

export interface Life {
  /** When the token ends; null: its run goes on, or Prefect cannot be asked and nothing is known to have ended. */
  endOf(token: StoredRunToken): Promise<number | null>;
}

/** Runs at once. */
const CACHED = 10_000;

interface Look {
  /** When Prefect was asked, by the steady clock. */
  readonly atMs: number;
  readonly end: Promise<number | null>;
  isRenewed: boolean;
}

export function createLife(parts: LifeParts): Life {
  const { steady, onError } = parts;
  const looked = new LRUCache<string, Look>({ max: CACHED });
  /** The look before counts until its own end, and nobody waits for this one. */
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
      // Without Prefect no request of the run gets anywhere; its life ends all the same.
      const end = look(parts, token).catch((error: unknown) => {
        onError(error);
        return null;
      });
      looked.set(token.hash, { atMs: nowMs, end, isRenewed: false });
      return end;
    },
  };
}

/** When the token ends, by what Prefect says now; null: its run goes on. Rejects when Prefect cannot be asked. */
export async function look({ store, lookup, clock }: Pick<LifeParts, 'store' | 'lookup' | 'clock'>, token: StoredRunToken): Promise<number | null> {
  const nowMs = clock();
  const run = await lookup(`/api/flow_runs/${token.flowRunId}`);
  const endedMs = endedAt(run, nowMs);
  if (endedMs !== null) {
    await store.endOf(token.flowRunId, endedMs);
    return endedMs;
  }
  // The clock of its life begins anew, at most every few minutes.
  if (token.expiresMs - nowMs < RUN_TOKEN_TIMES.lifeMs - RENEW_EVERY_MS) await store.renew(token.hash, nowMs + RUN_TOKEN_TIMES.lifeMs);
  return null;
}

const RENEW_EVERY_MS = 300_000;

/** A run that is gone has ended at once. By whichever clock is behind, so that a wrong one prolongs nothing. */
function endedAt(run: JsonValue | null, nowMs: number): number | null {
  if (run === null || !isObject(run)) return AT_ONCE;
  const state = field(run, 'state');
  if (!isObject(state) || !isTerminal(field(state, 'type'))) return null;
  const timestamp = Date.parse(String(field(state, 'timestamp')));
  return (Number.isNaN(timestamp) ? nowMs : Math.min(timestamp, nowMs)) + RUN_TOKEN_TIMES.graceMs;
}
