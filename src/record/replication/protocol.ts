// Messages between replication's thread and the main thread, and its state.
import type { StoreAddress } from '../../contract/store-address.ts';
import type { Waiting } from './ship.ts';

export interface ReplicationSetup {
  readonly ledgerFile: string;
  readonly node: string;
  readonly storeAt: StoreAddress;
  /** Of the duty `retention`. Null: another node has it. */
  readonly fence: number | null;
}

export interface OtherNode {
  readonly node: string;
  /** Records that its head covers and this ledger does not have. */
  readonly behind: number;
  /** The time of that head, by the node's own clock. Null: no head of it could be read. */
  readonly headAt: string | null;
  /** Since a newer head of it came, by the clock of this node. */
  readonly silentMs: number;
  readonly problem: string | null;
}

export interface ReplicationStatus {
  readonly waiting: Waiting;
  /** Why the store does not take this node's records, or gives no others. Null: it does. */
  readonly problem: string | null;
  readonly nodes: readonly OtherNode[];
}

export type FromReplication =
  | { readonly kind: 'status'; readonly status: ReplicationStatus }
  | { readonly kind: 'import'; readonly id: number; readonly batch: Uint8Array<ArrayBuffer> };

export type ToReplication =
  | { readonly kind: 'close' }
  | { readonly kind: 'duty'; readonly fence: number | null }
  | { readonly kind: 'imported'; readonly id: number; readonly error: string | null };
