// Waits for a condition, never for a time.
import { setTimeout as delay } from 'node:timers/promises';
import { LictorError } from '../../../contract/error.ts';

export interface WaitOptions {
  /** Named in the error: "did not happen within 5000 ms: WHAT". */
  readonly what: string;
  readonly timeoutMs?: number;
  /** The shortest wait: a slow condition is checked less often. */
  readonly everyMs?: number;
}

/** Checks take at most a fifth of the time, unless a wait would exceed this limit. */
const REST = 4;
const MOST_REST_MS = 250;

/**
 * Polls `condition` until its result is truthy, and returns that. A condition that throws is not met yet. Its last error is the cause of the LictorError
 * `wait-timeout`.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<T> {
  const { what, timeoutMs = 10_000, everyMs = 25 } = options;
  const until = performance.now() + timeoutMs;
  for (;;) {
    const askedMs = performance.now();
    const seen = await attempt(condition);
    const tookMs = performance.now() - askedMs;
    if (seen.value) return seen.value;
    if (performance.now() >= until) throw new LictorError('wait-timeout', `did not happen within ${timeoutMs} ms: ${what}`, { cause: seen.error });
    await delay(Math.max(everyMs, Math.min(REST * tookMs, MOST_REST_MS)));
  }
}

async function attempt<T>(condition: () => T | Promise<T>): Promise<{ value?: T; error?: unknown }> {
  try {
    return { value: await condition() };
  } catch (error) {
    return { error };
  }
}
