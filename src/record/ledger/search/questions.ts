// What the search thread is asked, what it answers, and what it asks back.
import type { ResourceType } from '../../../contract/operation.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import type { ChainState } from '../chain/chain-state.ts';
import type { AuditFilter, Changes } from '../query.ts';

/** One page: the caller gives its size. */
export type PageFilter = Omit<AuditFilter, 'follow'> & ({ readonly limit: number } | { readonly last: number });

interface Reading {
  /** The caller may see the names of Prefect's runs and deployments. By default a name is not found, and none is suggested. */
  readonly seesNames?: boolean;
  /** Left out: the caller sees every record. */
  readonly reader?: RecordReader | undefined;
}

export interface PageQuestion extends Reading {
  /** Flow run and deployment by id or name, principals with or without their provider. */
  readonly filter: PageFilter;
}

/** The records that were written after a place: after the record with this id (null: the newest), or after a number of an earlier answer. */
export interface ChangesQuestion extends Reading {
  readonly filter: AuditFilter;
  readonly after: number | string | null;
}

export type Question =
  | ({ readonly kind: 'page' } & PageQuestion)
  | ({ readonly kind: 'changes' } & ChangesQuestion)
  | { readonly kind: 'record'; readonly id: string; readonly reader: RecordReader }
  /** Every principal with a record. */
  | { readonly kind: 'principals' }
  | { readonly kind: 'chain' };

export interface Answers {
  readonly page: Page;
  readonly changes: Changes;
  /** Null: there is none, or the reader may not see it. */
  readonly record: LedgerRecord | null;
  readonly principals: readonly string[];
  readonly chain: ChainState;
}

export interface Page {
  readonly records: readonly LedgerRecord[];
  /** Set when the search stopped at its bound before the page was full: the last record that it has read. */
  readonly stoppedAt?: Pick<LedgerRecord, 'id' | 'time'>;
  /** Says which principal, run or deployment has no record at all. Null otherwise. */
  readonly unknown: string | null;
}

/** What the thread asks during a search: which of these objects the reader sees. */
export interface Asks {
  readonly type: ResourceType;
  readonly ids: readonly string[];
}

/** The ids among them. Null: Prefect did not say. */
export type Covered = readonly string[] | null;
