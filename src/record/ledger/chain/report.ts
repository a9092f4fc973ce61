// What an examination of a ledger says.
import type { PrunedPart } from './pruned.ts';

export const PROBLEM_KINDS = ['edited', 'removed', 'inserted', 'moved', 'truncated', 'rewritten', 'unsigned', 'signature', 'key-lost', 'hidden'] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** Null: it is about a statement. */
  readonly node: string | null;
  readonly seq: number | null;
  readonly message: string;
}

export interface VerifiedChain {
  readonly node: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
  readonly firstTime: string | null;
  readonly lastTime: string | null;
}

export interface Report {
  /** The first ones, in the order of the records; empty: nothing was changed, as far as this can be known. */
  readonly problems: readonly Problem[];
  readonly chains: readonly VerifiedChain[];
  /** What stood before that: let go by retention, or not part of what was examined. */
  readonly pruned: readonly PrunedPart[];
  readonly checkpoints: number;
  /** Events of Prefect of which the records speak: held against their digests, or not part of what was examined. */
  readonly events: { readonly checked: number; readonly unchecked: number };
  /** Ids of the keys that signed. */
  readonly keys: readonly string[];
  readonly signedAt: string | null;
}

export type AddProblem = (problem: Problem) => void;
