// The input of a verification: the evidence, and trusted facts from elsewhere.
import type { LedgerRecord } from '../../../contract/record.ts';
import type { Problem } from './report.ts';
import type { Signed } from './statement.ts';

/** A store, or an export. */
export interface Evidence {
  /** Each node's records in the order of their numbers, one node after the other. */
  readonly records: Iterable<LedgerRecord>;
  /** In their order. */
  readonly checkpoints: readonly Signed[];
  /** The newest statement about the ends of the chains. Undefined: there is none. */
  readonly end: Signed | undefined;
  /** The required kind: the end of a file says nothing about a whole ledger. */
  readonly endKind: 'head' | 'export';
  /** A sentence for each place where the database hides records from searches. Undefined: the evidence has no searches. */
  readonly hidden?: () => readonly string[];
  /** The events of Prefect that records cover. Undefined: not part of this evidence. */
  readonly events?: EventEvidence;
}

export interface EventEvidence {
  /** False: the events are not here, so they are not verified. */
  readonly carried: boolean;
  /** The problem with the events of this record. */
  check(record: LedgerRecord): Pick<Problem, 'kind' | 'message'> | undefined;
  /** After all records: a sentence for events that no record covers. */
  uncovered(): readonly string[];
}

export interface Anchors {
  /** Trusted public keys (SPKI, DER, base64). They, and keys that they vouch for, must have signed everything. Null: trusts the evidence's own keys. */
  readonly publicKeys: readonly string[] | null;
  /** One of `publicKeys` itself must have signed the end: a retired key cannot sign a new end. */
  readonly onlyCurrent: boolean;
  /** Heads that were stored elsewhere. */
  readonly savedHeads: readonly Signed[];
}
