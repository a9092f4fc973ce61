// What a reload has, and the steps that it shares with the renewal of certificates.
import type { Config } from '../config/config.ts';
import type { FromControl } from '../contract/ipc.ts';
import type { AppliedEdge } from '../edge/nginx/apply.ts';
import type { Prepared } from '../proxies/forward/forward.ts';
import type { CurrentRuntime } from './current-runtime.ts';
import type { ProcessServices } from './process-services.ts';
import type { Runtime } from './runtime.ts';

export interface ReloaderParts {
  readonly shared: ProcessServices;
  readonly current: CurrentRuntime;
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** Renders, tests and swaps nginx's files; throws without having changed anything. */
  readonly applyEdge: (config: Config) => Promise<AppliedEdge>;
  /** Opens the listeners of the next configuration's forward proxy and metrics, before anything changes. */
  readonly prepareListeners: (config: Config) => Promise<Prepared>;
  /** Applies the configuration to calls of services. */
  readonly useServices: (config: Config) => void;
  /** Closes the sockets that are open now with 1012, after that time: stock clients reconnect at once. */
  readonly moveSockets: (afterMs: number) => Promise<void>;
  readonly send: (message: FromControl) => void;
}

/** Below nginx's worker_shutdown_timeout. */
const FORMER_WORKERS_MS = 50 * 60_000;
/** By then nginx's new workers accept connections. */
const FORMER_TRUST_MS = 10_000;

export interface ReloadState {
  /** When the set was stored that this node compared last with its own. */
  policiesMs: number;
  /** What nginx has loaded. */
  certificates: string | null;
  /** The same for the files that nginx connects to Prefect and services with: only a reload checks them. */
  upstreams: string | null;
  refusedCertificates: string | null;
  /** The problem last reported about the files that the gateway makes itself. */
  refusedOwn: string | null;
}

/** nginx's former workers carry open sockets for at most an hour (src/edge/nginx): clients have to reconnect before. */
export function reloadEdge({ send, moveSockets, shared }: ReloaderParts, { tls }: Config): void {
  send({ type: 'edge-reload' });
  // The former workers verified certificates by authorities that may no longer be trusted.
  moveSockets(tls?.client == null ? FORMER_WORKERS_MS : FORMER_TRUST_MS).catch((error: unknown) =>
    shared.log.error({ err: error }, 'sockets of former workers did not close'),
  );
}

export function retire({ shared }: ReloaderParts, former: Runtime): void {
  former.retire().catch((error: unknown) => shared.log.error({ err: error }, 'what the former configuration had open did not close'));
}
