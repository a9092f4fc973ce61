// Messages between the ledger's client (main thread) and its worker thread.
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import type { ServiceCalls } from './call-count.ts';
import type { FloodLimits } from './floods.ts';
import type { EventBatch } from './prefect-events/store-events.ts';
import type { RotateLimits } from './rotate.ts';

export type Command =
  | { readonly kind: 'append'; readonly record: NewRecord }
  | { readonly kind: 'intend'; readonly record: NewRecord & { readonly request_id: string } }
  | { readonly kind: 'settle'; readonly requestId: string; readonly outcome: Partial<NewRecord> }
  /** Another process of this state directory reads the logs from now on; or it does not; or it has ended. */
  | { readonly kind: 'pause' | 'resume' | 'alone' }
  | FetchedCommand;

/** What the sender can fetch again. */
export type FetchedCommand =
  | { readonly kind: 'events'; readonly batch: EventBatch }
  /** `batch`: a ForeignBatch as JSON, which costs the main thread nothing. */
  | { readonly kind: 'import'; readonly batch: Uint8Array<ArrayBuffer> };

/** Null: done, with the durability that `Ledger` states. */
export type Outcome = { readonly code: string; readonly message: string; readonly detail: string } | null;

export type ToWorker = { readonly kind: 'command'; readonly id: number; readonly command: Command } | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'reopen' }
  | { readonly kind: 'calls'; readonly calls: readonly ServiceCalls[] }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly { readonly id: number; readonly outcome: Outcome }[] }
  /** The first one means that the worker runs. `detail` is for the log. */
  | { readonly kind: 'health'; readonly healthy: boolean; readonly detail: string };

export interface WorkerSetup {
  readonly ledgerFile: string;
  readonly ledgerKey: string;
  readonly accessLog: string;
  readonly edgeErrorLog: string;
  /** Name of this node. Each node has its own sequence. */
  readonly node: string;
  /** Path of the public URL, `''` at the root. The access log has it before Prefect's paths. */
  readonly basePath: string;
  /** New at each start of the control plane: intents of other sessions are leftovers. */
  readonly session: string;
  readonly startedAtMs: number;
  /** Until `alone`, the control plane before this one still has intents. */
  readonly beside: boolean;
  /** The roles of lictor.yaml, for the record of the start. Null: none. */
  readonly grants: LedgerRecord['grants'];
  /** Null: logs are never renamed. */
  readonly rotate: RotateLimits | null;
  /** Null: records are never deleted. */
  readonly retentionMs: number | null;
  /** Limits above which anonymous requests are only counted. */
  readonly floods: FloodLimits;
}
