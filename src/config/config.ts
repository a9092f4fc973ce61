// The loaded configuration: parsed once, trusted inside. Wire names are snake_case, these are camelCase.
import type { Scope } from '../contract/scope.ts';
import type { IdentityProvider } from './sections/provider-kinds.ts';
import type { Service } from './service.ts';

export interface PublicUrl {
  /** Scheme, host and port, no trailing slash: `https://prefect.example.com`. */
  readonly origin: string;
  /** Lower-case host name without the port. */
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** `''`, or `/prefect` without a trailing slash. */
  readonly basePath: string;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface RoleBinding {
  readonly role: string;
  /** `user:NAME@IDP`, `group:NAME@IDP`, `claim:KEY=PATTERN@IDP`, `arn:...@IDP`, `token:NAME`, `*@IDP`. */
  readonly members: readonly string[];
  /** On what the role holds; null: on everything. */
  readonly scope: Scope | null;
}

export type {
  AwsIamProvider,
  IdentityProvider,
  JwtProvider,
  MtlsProvider,
  OidcProvider,
  SamlProvider,
} from './sections/provider-kinds.ts';

/** A sink of the ledger. Nothing of it decides anything. */
export interface LedgerExport {
  /** Its place in the ledger is kept under this name. */
  readonly name: string;
  readonly type: 'otlp' | 'syslog' | 'ndjson' | 'webhook';
  /** `file:`, `http:`, `https:`, `tcp:` or `tls:`, without credentials. */
  readonly url: string;
  readonly format: 'record' | 'ocsf';
  readonly from: 'now' | 'start';
  /** The stored events of Prefect, too. */
  readonly events: boolean;
  readonly timeoutMs: number;
  /** PEM; null: the system's authorities. */
  readonly ca: string | null;
  /** Lower case names. Secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Signs webhooks; null: no webhook. */
  readonly secret: string | null;
}

/** On loopback, or a unix socket. */
export type MetricsListen = { readonly host: string; readonly port: number } | { readonly path: string };

/** Where spans are sent (OTLP over HTTP). */
export interface Traces extends Pick<LedgerExport, 'url' | 'ca' | 'headers' | 'timeoutMs'> {
  /** Of the traces that begin at the gateway: 0 to 1. Others are as their beginner has decided. */
  readonly share: number;
}

/** A way out for tasks that use APIs of others: CONNECT and plain http. */
export interface ForwardProxy {
  readonly listen: ListenAddress;
  /** In the form that hosts are compared in (src/contract/destination.ts). */
  readonly allow: readonly string[];
}

/** How many requests may come. `everyone` and `role` count each principal separately; `service` counts all calls of the service together. */
export interface Limit {
  readonly kind: 'everyone' | 'role' | 'principal' | 'service';
  /** The role, the id of the principal, or the service; empty for everyone. */
  readonly name: string;
  readonly rate: { readonly perSecond: number; readonly burst: number } | null;
  /** How many may be in progress at once; null: any number. */
  readonly concurrency: number | null;
}

export interface Config {
  readonly publicUrl: PublicUrl;
  readonly listen: readonly ListenAddress[];
  /** Another proxy in front ends TLS; `trusted` are the networks whose X-Forwarded-For counts, nobody by default. */
  readonly proxies: { readonly terminateTls: boolean; readonly trusted: readonly string[] };
  readonly tls: {
    readonly certFile: string;
    /** The same file, where the gateway makes its certificate itself. */
    readonly keyFile: string;
    /** The authority's certificate, which clients need; null: the files are somebody else's. */
    readonly selfMadeBy: string | null;
    /** Who may sign client certificates, and what was taken back: PEM. Null: none are asked for. */
    readonly client: { readonly caFile: string; readonly crlFile: string | null } | null;
  } | null;
  readonly prefect: {
    /** Base URLs without a trailing slash and without `/api`; one, or several that share one database. */
    readonly servers: readonly string[];
    /** `user:password` that Prefect was started with; null when it has none. */
    readonly authString: string | null;
    /** A key that Prefect takes as Bearer, instead of an auth string. */
    readonly apiKey: string | null;
    /** Absolute path of the file that the credential stands in; null: it stands in none. */
    readonly credentialFile: string | null;
    /** The credential that comes, while one is being replaced (`lictor rotate upstream`). */
    readonly next: string | null;
    /** PEM file of the authorities that signed the servers' certificates; null: the system's. */
    readonly caFile: string | null;
    /** For so long a server may say nothing of a request that it has taken. */
    readonly answerTimeoutMs: number;
  };
  readonly identityProviders: readonly IdentityProvider[];
  readonly roles: readonly RoleBinding[];
  /** Absolute path of the directory with own policies; null: only the built-in ones. */
  readonly policies: string | null;
  readonly sessions: { readonly idleSeconds: number; readonly absoluteSeconds: number };
  /** How long a login of the command line lives at most. */
  readonly cliSeconds: number;
  /** The first is the limit of everyone: it is always there, with a rate. */
  readonly limits: readonly Limit[];
  /** Request headers that reach Prefect beside the built-in allow-list, lower case. */
  readonly forwardHeaders: readonly string[];
  readonly services: readonly Service[];
  readonly forwardProxy: ForwardProxy | null;
  /** Runs get the tag `started-by:NAME`. */
  readonly startedByTag: boolean;
  /** `retentionSeconds` null: records are kept for ever. */
  readonly ledger: { readonly failClosed: boolean; readonly retentionSeconds: number | null };
  /** Null: no metrics. */
  readonly metrics: MetricsListen | null;
  /** Null: no traces. */
  readonly traces: Traces | null;
  readonly exports: readonly LedgerExport[];
  /** Absolute path of the SQLite store. */
  readonly storeFile: string;
}
