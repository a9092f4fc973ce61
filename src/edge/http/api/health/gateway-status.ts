// What the control plane knows about the parts of the gateway, for GET health.
import type { SharedStore } from '../../../../contract/shared-store.ts';
import type { WorkerChannel } from '../../../../contract/worker-channel.ts';
import type { ProviderStatus } from '../../../../identity/authn/external/provider.ts';
import type { Family } from '../../../../record/metrics/exposition.ts';
import type { Watched } from '../../../../record/metrics/watch.ts';
import type { SinkStatus } from '../../../../record/sinks/protocol.ts';
import type { ServerStatus } from '../../../nginx/watch-prefect.ts';

export interface GatewayStatus {
  readonly node: string;
  /** Null: no other node can use the store. */
  sharedStore(): SharedStore | null;
  /** By identity provider. Those that publish nothing are left out. */
  providers(): Promise<ReadonlyMap<string, ProviderStatus>>;
  /** Asks every Prefect server. */
  servers(): Promise<readonly ServerStatus[]>;
  /** The metrics of the control plane. From the first call on, it measures the time of decisions. */
  families(): readonly Family[];
  sinks(): readonly SinkStatus[];
  /** The workers whose channels are open. */
  workers(): readonly WorkerChannel[];
  /** The last minutes in the ledger. */
  watch(): Promise<Watched>;
}
