// Messages between the control plane and the thread that sends records.
import type { LedgerExport } from '../../config/config.ts';
import type { StoreAddress } from '../../contract/store-address.ts';
import type { Cursor, SinkState } from './cursor.ts';
import type { Break } from './source.ts';

export interface SendingSetup {
  readonly ledgerFile: string;
  /** Of several nodes, each sends its own records. Null: all records. */
  readonly node: string | null;
  /** Of the store that the nodes share. */
  readonly storeAt: StoreAddress;
  /** Of the duty `exports`. Null: another node has it. */
  readonly fence: number | null;
  /** The directory of the sinks' positions. */
  readonly directory: string;
  readonly exports: readonly LedgerExport[];
  /** Where the ledger ended when these sinks were configured: a new sink starts there. Null: the ledger could not be read. */
  readonly end: Cursor | null;
}

export interface SinkStatus {
  readonly name: string;
  readonly type: LedgerExport['type'];
  /** Null: the position or the ledger cannot be read. */
  readonly state: SinkState | null;
  /** Waiting records, approximately, and the time of the oldest one. */
  readonly lag: number;
  readonly oldest: string | null;
  /** Why the sink does not run. Null while it runs. */
  readonly stopped: string | null;
}

export type FromSending =
  | { readonly kind: 'status'; readonly sinks: readonly SinkStatus[] }
  | { readonly kind: 'break'; readonly name: string; readonly broken: Break }
  /** The records of a node that is gone are sent from here. */
  | { readonly kind: 'lost'; readonly name: string; readonly node: string };

export type ToSending = { readonly kind: 'close' } | { readonly kind: 'duty'; readonly fence: number | null };
