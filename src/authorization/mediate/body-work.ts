// Work on large bodies: within a budget, scanned by a thread, and in steps with rests on the deciding thread, which answers other requests between.
import type { Clock } from '../../contract/clock.ts';
import { decodeText } from '../../contract/json/scan.ts';
import { createScanner, type Scanner } from '../../contract/json/scanner.ts';
import { parseScanned, parseStrict, type StrictResult } from '../../contract/json/strict-json.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { type BodyBudget, createBodyBudget } from './body-budget.ts';

export interface BodyWork {
  /** The reason: this principal's other bodies use up the budget, or there is too little memory for one more. */
  begin(principalId: string, bytes: number): Promise<Work | 'bodies-waiting' | 'memory-short'>;
  /** For large frames of sockets, which the budget does not count. */
  readonly turn: () => Promise<void>;
  close(): Promise<void>;
}

export interface Work {
  /** Throws when a large body cannot be scanned. */
  read(body: Buffer): Promise<StrictResult>;
  /** Awaited before each step over the whole body. */
  readonly turn: () => Promise<void>;
  end(): void;
}

export interface BodyWorkParts {
  readonly steady: Clock;
  /** How much of the memory is in use, from 0 to 1. Default: none. */
  readonly memoryUse?: () => number;
  /** Tests replace these two. */
  readonly scanner?: Scanner;
  readonly budget?: BodyBudget;
}

/** Lictor reads such a body in some milliseconds. It neither waits nor counts. */
export const SMALL_BYTES = 32 * 1024;

/** At this share of memory, large bodies are rejected; at the second one, all bodies. So memory ends for new work before it ends for what is in work. */
const FULL_FOR_LARGE = 0.85;
const FULL_FOR_ALL = 0.95;

export function createBodyWork({ steady, memoryUse = () => 0, scanner = createScanner(), budget = createBodyBudget() }: BodyWorkParts): BodyWork {
  const turn = createTurns(steady);
  return {
    async begin(principalId, bytes) {
      const isSmall = bytes <= SMALL_BYTES;
      if (bytes > 0 && memoryUse() >= (isSmall ? FULL_FOR_ALL : FULL_FOR_LARGE)) return 'memory-short';
      if (isSmall) return AT_ONCE;
      const end = await budget.take(principalId, bytes);
      if (end === undefined) return 'bodies-waiting';
      return {
        async read(body) {
          const scanned = await scanner.scan(body);
          await turn();
          return parseScanned(scanned.ok ? decodeText(body) : null, scanned);
        },
        turn,
        end,
      };
    },
    turn,
    close: scanner.close,
  };
}

/** For small bodies. */
export const AT_ONCE: Work = { read: async (body) => parseStrict(body), turn: () => Promise.resolve(), end: () => undefined };

/** A lookup that takes a turn after each answer, since its caller compares the answer with the body. */
export function inTurns(lookup: Lookup, { turn }: Work): Lookup {
  return async (path, filter) => {
    const found = await lookup(path, filter);
    await turn();
    return found;
  };
}

/** A rest is as long as the step before it, so half of the time remains for other requests. */
const LONGEST_REST_MS = 1_000;
/** A step that follows so soon belongs to the one before it: a hundred short looks are one step, without a hundred rests. */
const SHORT_MS = 5;

/** A queue of turns. Clients share one. Work that a client may not delay has a separate queue. */
export function createTurns(steady: Clock): () => Promise<void> {
  let rested: Promise<void> = Promise.resolve();
  let stepFromMs: number | undefined;
  return () => {
    if (stepFromMs !== undefined && steady() - stepFromMs < SHORT_MS) return Promise.resolve();
    const turn = rested;
    rested = turn.then(async () => {
      const fromMs = steady();
      stepFromMs = fromMs;
      // The step runs before this resolves: it follows the turn without waiting for anything.
      await new Promise((resolve) => setImmediate(resolve));
      stepFromMs = undefined;
      await new Promise((resolve) => setTimeout(resolve, Math.min(steady() - fromMs, LONGEST_REST_MS)));
    });
    return turn;
  };
}
