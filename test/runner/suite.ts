// What a suite is, and what it answers.
import type { Writable } from 'node:stream';
import type { Environment } from '../../src/config/load.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
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
  run(context: SuiteContext): Promise<Counts>;
}

export const PASSED: Counts = { passed: 1, failed: 0, skipped: 0 };
export const FAILED: Counts = { passed: 0, failed: 1, skipped: 0 };

export function addCounts(left: Counts, right: Counts): Counts {
  return { passed: left.passed + right.passed, failed: left.failed + right.failed, skipped: left.skipped + right.skipped };
}

/** The last line of `lictor test`. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
