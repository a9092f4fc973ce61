// What lictor.yaml says of services that tasks call. Wire names are snake_case, these are camelCase.
import type { Method } from '../contract/operation.ts';

/** What tasks call through the gateway, below `/.lictor/svc/NAME`. */
export interface Service {
  readonly name: string;
  readonly servers: readonly ServiceServer[];
  /** `hash_by_run`: neither backups nor health beside it. */
  readonly balance: 'round_robin' | 'least_connections' | 'hash_by_run';
  /** The path of all its servers' addresses, put before that of a call: `''`, or `/api`. */
  readonly path: string;
  /** What may be called at all, the most specific first. */
  readonly routes: readonly ServiceRoute[];
  /** PEM of the authorities that signed the servers' certificates; null: the system's. */
  readonly caFile: string | null;
  /** What the gateway shows as a client; null: nothing. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  /** What the gateway shows there in place of its callers; null: nothing. Secret. */
  readonly injected: Injected | null;
  readonly timeoutSeconds: number;
  /** Request headers that reach it beside the built-in allow-list, lower case. */
  readonly forwardHeaders: readonly string[];
  readonly limit: ServiceLimit | null;
  /** True: an allowed GET that asks for a WebSocket gets one. */
  readonly sockets: boolean;
  /** Which answers are stored; empty: none. */
  readonly cache: readonly CacheRule[];
  /** Null: a call that failed is made again at each other server where that does no harm. */
  readonly retries: ServiceRetries | null;
  /** Null: its servers are not asked by themselves. */
  readonly health: ServiceHealth | null;
}

export type Injected = InjectedHeader | { readonly oauth: ServiceOauth } | { readonly query: ServiceQueryKey } | { readonly sigv4: ServiceSigv4 };

export interface ServiceQueryKey {
  /** Letters, digits, `.`, `_`, `~`, `-`. */
  readonly name: string;
  readonly value: string;
}

/** A signature of AWS; the credentials are the machine's. */
export interface ServiceSigv4 {
  readonly region: string;
  readonly service: string;
  /** Of AWS's own files; null: whatever its chain finds. */
  readonly profile: string | null;
}

export interface InjectedHeader {
  readonly header: string;
  readonly value: string;
}

/** An access token by client credentials (RFC 6749, 4.4). */
export interface ServiceOauth {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How the client shows itself there (RFC 6749, 2.3.1). */
  readonly clientAuth: 'basic' | 'post';
  readonly scope: string | null;
  readonly audience: string | null;
  /** Authorities of the token endpoint, PEM; null: the system's. */
  readonly caFile: string | null;
}

/** Answers of these paths are stored for a time. */
export interface CacheRule {
  /** As those of routes. */
  readonly patterns: readonly string[];
  /** Null: as long as the service says. */
  readonly ttlSeconds: number | null;
  /** True: one answer is everybody's. False: each principal has its own. */
  readonly shared: boolean;
  /** How long beyond that while the service is away. */
  readonly staleSeconds: number;
  /** Bytes; a larger one is not stored. */
  readonly mostBytes: number;
}

/** Of calls without a body. */
export interface ServiceRetries {
  /** How often one is made at most. */
  readonly attempts: number;
  /** Share of the calls that may be repeats: 0.1. Null: no bound. */
  readonly budget: number | null;
}

export interface ServiceHealth {
  readonly path: string;
  readonly intervalMs: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
}

export interface ServiceLimit {
  readonly per: 'principal' | 'service';
  /** `atOnce` go on, `waiting` more have their turn by the rate, and the others are refused. Null: no limit. */
  readonly rate: { readonly perSecond: number; readonly atOnce: number; readonly waiting: number } | null;
  readonly concurrency: number | null;
  /** Bytes per second of one answer. */
  readonly bandwidth: number | null;
}

export interface ServiceServer {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly weight: number;
  /** Asked while the others are away. */
  readonly backup: boolean;
}

/** Some methods on the paths of one pattern (src/prefect/catalog/service-routes.ts). */
export interface ServiceRoute {
  readonly methods: readonly Method[];
  readonly pattern: string;
}
