// What is known of records that are not here any more: their segments' digests, which were signed while they were.
import type { AddProblem } from './report.ts';
import type { Statements } from './statements.ts';

/** The part of a chain before its first record. */
export interface PrunedPart {
  readonly node: string;
  /** Number of its last record. */
  readonly upTo: number;
  /** Of so many segments in it a checkpoint holds the digest. */
  readonly segments: number;
  /** When the last of them was closed. Null: no checkpoint is about its end, or none but a later one. */
  readonly closedAt: string | null;
}

/** Where somebody signed something else about the end of it, that is told: whoever has the key cannot put another past before what is here. */
export function prunedParts({ end, checkpoints, claims }: Statements, addProblem: AddProblem): readonly PrunedPart[] {
  return (end?.chains ?? []).flatMap(({ node, from_seq: upTo, from_hash: hash }) => {
    if (upTo === 0) return [];
    const other = claims.find((claim) => claim.node === node && claim.seq === upTo && claim.hash !== hash);
    if (other !== undefined) {
      const message = `record ${upTo} of ${node}, the last before what is here, is not the one that ${other.by} signed: the records up to it were written anew`;
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
