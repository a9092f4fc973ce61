// The loaded configuration: parsed once, trusted inside. Wire names are snake_case, these are camelCase.
import type { ActionGroup } from '../contract/operation.ts';
import type { Grant, Scope } from '../contract/scope.ts';
import type { PostgresAddress, StoreAddress } from '../contract/store-address.ts';
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
  /** The objects that the role holds on; null: all. */
  readonly scope: Scope | null;
  /** For its members. Left out: the mode of the file. */
  readonly mode?: Mode;
}

/** `observe`: what only the policies deny is recorded, and not rejected (src/authorization/decide/observe.ts). */
export type Mode = 'enforce' | 'observe';

export type {
  AwsIamProvider,
  IdentityProvider,
  JwtProvider,
  MtlsProvider,
  OidcProvider,
  SamlProvider,
} from './sections/provider-kinds.ts';

/** A sink of the ledger. It affects no decision. */
export interface LedgerExport {
  /** Lictor stores the position of the sink under this name. */
  readonly name: string;
  readonly type: 'otlp' | 'syslog' | 'ndjson' | 'webhook';
  /** `file:`, `http:`, `https:`, `tcp:` or `tls:`, without credentials. */
  readonly url: string;
  readonly format: 'record' | 'ocsf';
  readonly from: 'now' | 'start';
  /** Also the stored events of Prefect. */
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
  /** The share of traces that begin at the gateway: 0 to 1. For other traces, the client has decided. */
  readonly share: number;
}

/** A proxy for tasks that call other APIs: CONNECT and plain http. */
export interface ForwardProxy {
  readonly listen: ListenAddress;
  /** In the form for comparison (src/contract/destination.ts). */
  readonly allow: readonly string[];
}

/** An AI agent. Its rights are those that both it and its sponsor have. */
export interface Agent {
  readonly name: string;
  /** The person who answers for it: the agent ends with this person. */
  readonly sponsor: { readonly name: string; readonly idp: string };
  readonly credential: AgentCredential;
  readonly grants: readonly Grant[];
  /** `FLOW/NAME`, or with a `*` at its end, and the JSON Schema that the parameters of its runs must meet. */
  readonly parameters: readonly { readonly deployments: string; readonly schema: Readonly<Record<string, unknown>> }[];
  readonly budgets: AgentBudgets;
  /** What it may write in the 60 minutes after it read text that others wrote. */
  readonly taint: 'approve' | 'allow' | 'deny';
}

/** The credential that proves it: a service token of its name, a workload JWT with this claim, or tokens of this OAuth client. */
export type AgentCredential =
  | { readonly kind: 'token' }
  | { readonly kind: 'claim'; readonly key: string; readonly pattern: string; readonly idp: string }
  | { readonly kind: 'client'; readonly id: string };

/** Null: no bound. */
export interface AgentBudgets {
  readonly callsPerMinute: number | null;
  readonly runsPerHour: number | null;
  readonly concurrentRuns: number | null;
  /** Runs below one run that the agent started. */
  readonly descendants: number | null;
  readonly bytesPerHour: number | null;
}

/** A client that people may log in with (OAuth 2.1 authorization code with PKCE). It has no secret. */
export interface OAuthClientEntry {
  readonly id: string;
  /** Shown to the person who allows it. */
  readonly name: string;
  readonly redirectUris: readonly string[];
}

/** Which requests wait for an approval, and who may approve them. */
export interface ApprovalRule {
  readonly name: string;
  /** `agent:*`, `agent:NAME`, or a member as in `roles`. */
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  /** `sponsor`: the person who answers for the agent. Else members as in `roles`, without the requester. */
  readonly approvers: 'sponsor' | readonly string[];
  readonly expiresMs: number;
  readonly notify: { readonly webhook: string; readonly secret: string | null } | null;
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

/** An identity provider that provisions its people and groups. */
export interface ScimTenant {
  readonly idp: string;
  /** Null: secrets are not read. */
  readonly token: string | null;
}

export interface Config {
  readonly publicUrl: PublicUrl;
  readonly listen: readonly ListenAddress[];
  /** `terminateTls`: a proxy in front ends TLS. `trusted`: Lictor believes X-Forwarded-For from these networks only. */
  readonly proxies: { readonly terminateTls: boolean; readonly trusted: readonly string[] };
  readonly tls: {
    readonly certFile: string;
    /** The same file, if the certificate is self-made. */
    readonly keyFile: string;
    /** The certificate of the authority, which clients need; null: the certificate is not self-made. */
    readonly selfMadeBy: string | null;
    /** Authorities of client certificates, and their revocation lists: PEM. Null: nginx requests no certificate. */
    readonly client: { readonly caFile: string; readonly crlFile: string | null } | null;
  } | null;
  readonly prefect: {
    /** Base URLs without a trailing slash and without `/api`; one, or several that share one database. */
    readonly servers: readonly string[];
    /** `user:password` of Prefect's auth string; null: none. */
    readonly authString: string | null;
    /** A Bearer key, instead of an auth string. */
    readonly apiKey: string | null;
    /** Absolute path of the file with the credential; null: it comes from no file. */
    readonly credentialFile: string | null;
    /** The next credential, during `lictor rotate upstream`. */
    readonly next: string | null;
    /** PEM file of the authorities that signed the servers' certificates; null: the system's. */
    readonly caFile: string | null;
    /** How long a server may send no byte of an answer. */
    readonly answerTimeoutMs: number;
  };
  readonly identityProviders: readonly IdentityProvider[];
  readonly roles: readonly RoleBinding[];
  readonly mode: Mode;
  /** The groups of actions that observe mode concerns; all others are enforced. Left out: every group. */
  readonly observe?: readonly ActionGroup[];
  /** Absolute path of the directory with own policies; null: only the built-in ones. */
  readonly policies: string | null;
  readonly sessions: { readonly idleSeconds: number; readonly absoluteSeconds: number };
  /** The longest life of a login of the command line. */
  readonly cliSeconds: number;
  /** The first is the limit of everyone, which always has a rate. */
  readonly limits: readonly Limit[];
  /** Request headers that reach Prefect beside the built-in allow-list, lower case. */
  readonly forwardHeaders: readonly string[];
  readonly services: readonly Service[];
  readonly agents: readonly Agent[];
  readonly approvals: readonly ApprovalRule[];
  readonly oauthClients: readonly OAuthClientEntry[];
  /** The hosts whose metadata documents of clients are accepted, as `readPattern` gives them. */
  readonly oauthClientHosts: readonly string[];
  readonly forwardProxy: ForwardProxy | null;
  /** Runs get the tag `started-by:NAME`. */
  readonly startedByTag: boolean;
  /** `retentionSeconds` null: Lictor deletes no record. */
  readonly ledger: { readonly failClosed: boolean; readonly retentionSeconds: number | null };
  /** Null: no metrics. */
  readonly metrics: MetricsListen | null;
  /** Null: no traces. */
  readonly traces: Traces | null;
  readonly exports: readonly LedgerExport[];
  readonly scim: readonly ScimTenant[];
  /** The name of this node. */
  readonly node: string;
  readonly storeAt: StoreAddress;
  /** A direct connection for this node alone, where `storeAt` leads to PgBouncer; null: `storeAt` is direct, or SQLite. */
  readonly storeListen: PostgresAddress | null;
  /** How long the gateway still serves after SIGTERM, so that a load balancer sends requests to other nodes. */
  readonly shutdownDelaySeconds: number;
}
