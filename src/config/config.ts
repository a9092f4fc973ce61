// The loaded configuration: parsed once, trusted inside. Wire names are snake_case, these are camelCase.

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
  /** `user:NAME@IDP`, `token:NAME`, `*@IDP`. */
  readonly members: readonly string[];
}

export interface Config {
  readonly publicUrl: PublicUrl;
  readonly listen: readonly ListenAddress[];
  /** Another proxy in front ends TLS; `trusted` are the networks whose X-Forwarded-For counts, nobody by default. */
  readonly proxies: { readonly terminateTls: boolean; readonly trusted: readonly string[] };
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly prefect: {
    /** Base URLs without a trailing slash and without `/api`; one, or several that share one database. */
    readonly servers: readonly string[];
    /** `user:password` that Prefect was started with; null when it has none. */
    readonly authString: string | null;
    /** PEM file of the authorities that signed the servers' certificates; null: the system's. */
    readonly caFile: string | null;
  };
  readonly identityProviders: readonly { readonly id: string; readonly type: 'accounts' }[];
  readonly roles: readonly RoleBinding[];
  readonly sessions: { readonly idleSeconds: number; readonly absoluteSeconds: number };
  /** The one identity limit, per principal. */
  readonly limit: { readonly ratePerSecond: number; readonly burst: number };
  /** Request headers that reach Prefect beside the built-in allow-list, lower case. */
  readonly forwardHeaders: readonly string[];
  readonly ledger: { readonly failClosed: boolean };
  /** Absolute path of the SQLite store. */
  readonly storeFile: string;
}
