// What a suite is, and what it answers.
import type { Writable } from 'node:stream';
import type { Environment } from '../../src/config/load.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a suite answers. */
export interface Outcome extends Counts {
  /** A line for each failure: which test of which file, and why in a few words. */
  readonly failures: readonly string[];
}

export interface SuiteContext {
  readonly out: Writable;
  readonly env: Environment;
  /** Resolves when the suites beside this one have ended. */
  readonly others: Promise<unknown>;
}

export interface Suite {
  readonly name: string;
  readonly summary: string;
  /** Runs while others like it run; left out: alone. */
  readonly besideOthers?: true;
  /** Left out: it always has something to run. */
  readonly isEmpty?: () => boolean;
  /** Writes what a reader needs to `out`; a runner that breaks down counts as failed, never as nothing. */
  run(context: SuiteContext): Promise<Outcome>;
}

export const PASSED: Outcome = { passed: 1, failed: 0, skipped: 0, failures: [] };

export function failed(what: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, failures: [what] };
}

export function addOutcomes(left: Outcome, right: Outcome): Outcome {
  const sum = { passed: left.passed + right.passed, failed: left.failed + right.failed, skipped: left.skipped + right.skipped };
  return { ...sum, failures: [...left.failures, ...right.failures] };
}

/** The first line of a message, and not all of a long one. */
export function inShort(message: string): string {
  const [first = ''] = message.trim().split('\n');
  return first.length > MOST_CHARACTERS ? `${first.slice(0, MOST_CHARACTERS)}…` : first;
}

const MOST_CHARACTERS = 300;

/** The last line of `lictor test`. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
