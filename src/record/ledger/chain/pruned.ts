// What is known of deleted records: the digests of their segments, which were signed earlier.
import type { AddProblem } from './report.ts';
import type { Statements } from './statements.ts';

/** The part of a chain before its first record. */
export interface PrunedPart {
  readonly node: string;
  /** Number of its last record. */
  readonly upTo: number;
  /** The number of its segments with a signed digest. */
  readonly segments: number;
  /** When its last segment was closed. Null: no checkpoint is exactly at its end. */
  readonly closedAt: string | null;
}

/** Reports a different claim about its end: an owner of the key cannot replace the past before the existing records. */
export function prunedParts({ end, checkpoints, claims }: Statements, addProblem: AddProblem): readonly PrunedPart[] {
  return (end?.chains ?? []).flatMap(({ node, from_seq: upTo, from_hash: hash }) => {
    if (upTo === 0) return [];
    const other = claims.find((claim) => claim.node === node && claim.seq === upTo && claim.hash !== hash);
    if (other !== undefined) {
      const message = `record ${upTo} of ${node}, the last before what is here, is not the one that ${other.by} signed: the records up to it were rewritten`;
      addProblem({ kind: 'rewritten', node, seq: upTo, message });
    }
    const ends = new Map<number, string>();
    for (const { chains, time } of checkpoints) {
      const seq = chains.find((chain) => chain.node === node)?.seq ?? 0;
      if (seq > 0 && seq <= upTo && !ends.has(seq)) ends.set(seq, time);
    }
    return [{ node, upTo, segments: ends.size, closedAt: ends.get(upTo) ?? null }];
  });
}
