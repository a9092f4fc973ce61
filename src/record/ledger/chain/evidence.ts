// What is examined, and what is known about it from elsewhere.
import type { LedgerRecord } from '../../../contract/record.ts';
import type { Problem } from './report.ts';
import type { Signed } from './statement.ts';

/** What is looked at: a store, or an export. */
export interface Evidence {
  /** Of each node in the order of their numbers; the nodes one after the other. */
  readonly records: Iterable<LedgerRecord>;
  /** In their order. */
  readonly checkpoints: readonly Signed[];
  /** The newest statement about where the chains end. Undefined: there is none. */
  readonly end: Signed | undefined;
  /** Which kind it has to be: a file's end says nothing about a whole ledger. */
  readonly endKind: 'head' | 'export';
  /** Where records are hidden from who looks for them, although each is as it was: a sentence for each. Undefined: nobody looks for them here. */
  readonly hidden?: () => readonly string[];
  /** The events of Prefect of which records speak. Undefined: they are not part of this evidence. */
  readonly events?: EventEvidence;
}

export interface EventEvidence {
  /** False: the events themselves are not here, and are not held against what records say of them. */
  readonly carried: boolean;
  /** What is wrong with the events of which this record speaks. */
  check(record: LedgerRecord): Pick<Problem, 'kind' | 'message'> | undefined;
  /** After all records: a sentence for events of which none speaks. */
  unspoken(): readonly string[];
}

export interface Anchors {
  /** Public keys (SPKI, DER, base64) that are known from elsewhere: with those that they vouch for, they must have signed everything. Null: the evidence's own is taken. */
  readonly publicKeys: readonly string[] | null;
  /** The end must be signed by one of `publicKeys` itself: an older key, once out of use, cannot sign a new end. */
  readonly onlyCurrent: boolean;
  /** Heads that were kept elsewhere. */
  readonly savedHeads: readonly Signed[];
}
