// Messages between the control plane and the thread that sends records.
import type { LedgerExport } from '../../config/config.ts';
import type { Cursor, SinkState } from './cursor.ts';
import type { Break } from './source.ts';

export interface SendingSetup {
  readonly ledgerFile: string;
  /** Where the sinks' places are kept. */
  readonly directory: string;
  readonly exports: readonly LedgerExport[];
  /** Where the ledger ended when these sinks were asked for: that is where "from now on" begins. Null: it could not be read then. */
  readonly end: Cursor | null;
}

export interface SinkStatus {
  readonly name: string;
  readonly type: LedgerExport['type'];
  /** Null: its place cannot be read, or the ledger cannot. */
  readonly state: SinkState | null;
  /** Records that wait for it, about, and the time of the oldest of them. */
  readonly lag: number;
  readonly oldest: string | null;
  /** Why it does not run at all; null when it does. */
  readonly stopped: string | null;
}

export type FromSending =
  | { readonly kind: 'status'; readonly sinks: readonly SinkStatus[] }
  | { readonly kind: 'break'; readonly name: string; readonly broken: Break };

export type ToSending = { readonly kind: 'close' };
