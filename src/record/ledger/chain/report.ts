// The result of a verification.
import type { PrunedPart } from './pruned.ts';

export const PROBLEM_KINDS = ['edited', 'removed', 'inserted', 'moved', 'truncated', 'rewritten', 'unsigned', 'signature', 'key-lost', 'hidden'] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** Null: the problem concerns a statement. */
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

export interface RestoredAt {
  readonly node: string;
  readonly seq: number;
  readonly time: string;
}

export interface Report {
  /** The first ones, in the order of the records. Empty: no change was found. */
  readonly problems: readonly Problem[];
  readonly chains: readonly VerifiedChain[];
  /** Earlier records, which retention deleted or an export leaves out. */
  readonly pruned: readonly PrunedPart[];
  readonly checkpoints: number;
  /** Where a restore from a backup continued a chain: what came after this record before is lost. */
  readonly restored: readonly RestoredAt[];
  /** Events of Prefect that the records cover: verified against their digests, or not part of the evidence. */
  readonly events: { readonly checked: number; readonly unchecked: number };
  /** Ids of the keys that signed. */
  readonly keys: readonly string[];
  readonly signedAt: string | null;
}

export type AddProblem = (problem: Problem) => void;
