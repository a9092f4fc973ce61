// Services of lictor.yaml, which tasks call. Wire names are snake_case, these are camelCase.
import type { Method } from '../contract/operation.ts';

/** Tasks call it through the gateway, below `/.lictor/svc/NAME`. */
export interface Service {
  readonly name: string;
  readonly servers: readonly ServiceServer[];
  /** `hash_by_run`: neither backups nor health beside it. */
  readonly balance: 'round_robin' | 'least_connections' | 'hash_by_run';
  /** The path in the addresses of all servers, before the path of a call: `''`, or `/api`. */
  readonly path: string;
  /** The routes that tasks may call, the most specific first. */
  readonly routes: readonly ServiceRoute[];
  /** PEM of the authorities that signed the servers' certificates; null: the system's. */
  readonly caFile: string | null;
  /** The client certificate of the gateway; null: none. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  /** The credential that the gateway sends; null: none. Secret. */
  readonly injected: Injected | null;
  readonly timeoutSeconds: number;
  /** Request headers that reach it beside the built-in allow-list, lower case. */
  readonly forwardHeaders: readonly string[];
  readonly limit: ServiceLimit | null;
  /** True: an allowed GET that asks for a WebSocket gets one. */
  readonly sockets: boolean;
  /** Rules for stored answers; empty: Lictor stores none. */
  readonly cache: readonly CacheRule[];
  /** Null: a failed call without side effects is repeated once at each other server. */
  readonly retries: ServiceRetries | null;
  /** Null: no health checks. */
  readonly health: ServiceHealth | null;
}

export type Injected = InjectedHeader | { readonly oauth: ServiceOauth } | { readonly query: ServiceQueryKey } | { readonly sigv4: ServiceSigv4 };

export interface ServiceQueryKey {
  /** Letters, digits, `.`, `_`, `~`, `-`. */
  readonly name: string;
  readonly value: string;
}

/** A signature of AWS, with the credentials of the machine. */
export interface ServiceSigv4 {
  readonly region: string;
  readonly service: string;
  /** A profile of AWS's files; null: the default credential chain. */
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
  /** The client authentication method (RFC 6749, 2.3.1). */
  readonly clientAuth: 'basic' | 'post';
  readonly scope: string | null;
  readonly audience: string | null;
  /** Authorities of the token endpoint, PEM; null: the system's. */
  readonly caFile: string | null;
}

/** Lictor stores answers of these paths for a time. */
export interface CacheRule {
  /** The same form as in routes. */
  readonly patterns: readonly string[];
  /** Null: the service says how long. */
  readonly ttlSeconds: number | null;
  /** True: all principals share an answer. False: one for each principal. */
  readonly shared: boolean;
  /** How much longer, while the service is away. */
  readonly staleSeconds: number;
  /** Bytes. Lictor stores no larger answer. */
  readonly mostBytes: number;
}

/** For calls without a body. */
export interface ServiceRetries {
  /** The most attempts of one call. */
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
  /** `atOnce` calls pass, `waiting` more wait for their turn, and Lictor rejects the others. Null: no limit. */
  readonly rate: { readonly perSecond: number; readonly atOnce: number; readonly waiting: number } | null;
  readonly concurrency: number | null;
  /** Bytes per second of one answer. */
  readonly bandwidth: number | null;
}

export interface ServiceServer {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly weight: number;
  /** Gets calls only while the others are away. */
  readonly backup: boolean;
}

/** Some methods on the paths of one pattern (src/prefect/catalog/service-routes.ts). */
export interface ServiceRoute {
  readonly methods: readonly Method[];
  readonly pattern: string;
}
