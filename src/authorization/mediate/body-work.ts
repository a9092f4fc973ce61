// Work on large bodies: within a budget, scanned by a thread, and on the deciding thread in steps with rests, so that everybody else is answered between.
import type { Clock } from '../../contract/clock.ts';
import { decodeText } from '../../contract/json/scan.ts';
import { createScanner, type Scanner } from '../../contract/json/scanner.ts';
import { parseScanned, parseStrict, type StrictResult } from '../../contract/json/strict-json.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { type BodyBudget, createBodyBudget } from './body-budget.ts';

export interface BodyWork {
  /** Undefined: this principal has too much in work. */
  begin(who: string, bytes: number): Promise<Work | undefined>;
  /** For what is large and has no place in the budget: a frame of a socket. */
  readonly turn: () => Promise<void>;
  close(): Promise<void>;
}

export interface Work {
  /** Throws when a large body cannot be scanned. */
  read(body: Buffer): Promise<StrictResult>;
  /** Before each step that looks at the whole body. */
  readonly turn: () => Promise<void>;
  end(): void;
}

export interface BodyWorkParts {
  readonly steady: Clock;
  /** Both left out: the gateway's own. */
  readonly scanner?: Scanner;
  readonly budget?: BodyBudget;
}

/** What is read at once: some milliseconds. Such bodies neither wait nor count. */
export const SMALL_BYTES = 32 * 1024;

export function createBodyWork({ steady, scanner = createScanner(), budget = createBodyBudget() }: BodyWorkParts): BodyWork {
  const turn = createTurns(steady);
  return {
    async begin(who, bytes) {
      if (bytes <= SMALL_BYTES) return AT_ONCE;
      const end = await budget.take(who, bytes);
      if (end === undefined) return undefined;
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

/** What is found is looked at together with the body. */
export function inTurns(lookup: Lookup, { turn }: Work): Lookup {
  return async (path, filter) => {
    const found = await lookup(path, filter);
    await turn();
    return found;
  };
}

/** A rest is as long as the step before it: half of the time is everybody else's. */
const LONGEST_REST_MS = 1_000;
/** What follows a step so soon belongs to it: a hundred small looks are one step, and not a hundred rests. */
const SHORT_MS = 5;

/** A queue of turns. Clients share one; what a client may not delay has its own. */
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
