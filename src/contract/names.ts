// Names that several parts share: headers, cookies, paths.
import type { ReasonCode } from './reasons.ts';

/** Headers in which nginx sends its variables to the control plane. No client can send them, and no upstream gets them. */
export const INPUT = {
  requestId: 'x-lictor-in-request-id',
  host: 'x-lictor-in-host',
  listener: 'x-lictor-in-listener',
  address: 'x-lictor-in-address',
  /** Raw `Authorization`. */
  authorization: 'x-lictor-in-authorization',
  /** Raw `X-Lictor-Token`. */
  token: 'x-lictor-in-token',
  /** Value of the session cookie. */
  session: 'x-lictor-in-session',
  /** A verified client certificate: percent-encoded PEM. */
  certificate: 'x-lictor-in-certificate',
  /** `1` when Origin or Sec-Fetch-Site proves the gateway's own origin, `0` when they name another; empty: no header says. */
  sameOrigin: 'x-lictor-in-same-origin',
  method: 'x-lictor-in-method',
  /** operationId of the catalogue; empty when the route is unknown. */
  operation: 'x-lictor-in-operation',
  /** Raw path (no query) for object-scoped operations on the decision path; always on the mediated and relay paths. */
  path: 'x-lictor-in-path',
  /** Raw query where the catalogue says that it decides. */
  args: 'x-lictor-in-args',
} as const;

/** Proves to the control plane that nginx sent the request (src/config/keys/edge-secret.ts). Secret; never forwarded. */
export const EDGE_SECRET = 'x-lictor-edge';

/** The client's handshake for a socket of a service, as nginx has read it. nginx sets `Upgrade` and `Connection` itself for the relay. */
export const HANDSHAKE = {
  /** `HTTP/1.1`. */
  protocol: 'x-lictor-in-protocol',
  connection: 'x-lictor-in-connection',
  /** The declared length of the body; empty: no body. */
  framing: 'x-lictor-in-framing',
} as const;

/** Claims of a client about itself, sent in the same way: evidence for the record. No decision reads them. */
export const CLAIM = { flowRun: 'x-lictor-claim-flow-run', deployment: 'x-lictor-claim-deployment' } as const;

/** The same, only for the gateway's pages: the cookie of the login attempt that `?state=` names. No decision reads it. */
export const LOGIN_BROWSER = 'x-lictor-in-login-browser';

/** Also only for the gateway's pages: the cookie of a device that logged in before (src/identity/authn/accounts/devices.ts). */
export const LOGIN_DEVICE = 'x-lictor-in-login-device';

/** Headers of the control plane's answer to nginx. Never forwarded to a client. */
export const OUTPUT = {
  /** The path: direct | mediated | egress | uncredentialed; or why the request has none (`noWay`). */
  path: 'x-lictor-path',
  /** The key of the identity limit: the principal's id. */
  limit: 'x-lictor-limit',
  /** The roles of the principal that `limits` names, joined by commas; absent: none. */
  limitedRoles: 'x-lictor-limited-roles',
  /** `AccessFacts` (facts.ts) for the access log. */
  facts: 'x-lictor-facts',
  /** A signed assertion about the caller for the service (src/proxies/egress). */
  assertion: 'x-lictor-assertion',
  /** A credential for the service that changes: the value of `Authorization`. Secret. */
  credential: 'x-lictor-credential',
  /** How often the cache of this service was purged; absent: it has none. */
  cacheGeneration: 'x-lictor-cache-generation',
} as const;

/**
 * The value for a rejected request. A rejection has no separate header, because nginx reads each header of a decision for every request. nginx's maps
 * have its text. `words`: a more precise text, safe in JSON and HTML; for a foreign object, the body by which Prefect reports a missing one.
 */
export function noWay(code: ReasonCode, words?: string): string {
  return words === undefined ? `no:${code}` : `no:${code}:${words}`;
}

/** Between nginx and the service proxy (src/proxies/egress/proxy). No client can send them, and no service gets them. */
export const SERVICE_PROXY = {
  service: 'x-lictor-proxy-service',
  /** The principal: the key of the identity limit. */
  caller: 'x-lictor-proxy-caller',
  generation: 'x-lictor-cache-generation',
  /** In the answer: the cache status of the call. One word, because `$upstream_http_` accepts `_` for `-`, and only one spelling is filtered. */
  cache: 'lictorcache',
  /** In the answer: the named location of nginx that rejects the call. nginx accepts it only from the service proxy. */
  refusal: 'x-accel-redirect',
} as const;

/** Facts of the decision for the access log, and so for the ledger. Snake case, as in records. */
export interface AccessFacts {
  readonly principal: string | null;
  readonly principal_kind: string | null;
  readonly idp: string | null;
  readonly credential_id: string | null;
  readonly on_behalf_of: readonly string[];
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
  readonly policies: readonly string[];
  readonly action: string | null;
  readonly revision: number;
  readonly session_id: string | null;
}

/** All pages and APIs of Lictor are below this path. */
export const OWN_PREFIX = '/.lictor/';

/** The public keys that verify what this gateway signs. */
export const KEY_SET = '/.well-known/lictor-jwks.json';

/** Where clients look for the authorization server: at the host's root, and where RFC 8414 and OpenID Connect put a path of public_url. */
export function wellKnownPaths(basePath: string) {
  const both = (name: string): readonly string[] => [...new Set([name, `${name}${basePath}`, `${basePath}${name}`])];
  const server = [...both('/.well-known/oauth-authorization-server'), ...both('/.well-known/openid-configuration')];
  const resource = both('/.well-known/oauth-protected-resource');
  const keySets = [...new Set([KEY_SET, `${basePath}${KEY_SET}`])];
  return { server, resource, keySets, all: [...server, ...resource, ...keySets] };
}

/** The prefix of the name sets how browsers bind the cookie. */
export function sessionCookieName(publicUrl: { readonly secure: boolean; readonly basePath: string }): string {
  if (!publicUrl.secure) return 'lictor';
  return publicUrl.basePath === '' ? '__Host-lictor' : '__Secure-lictor';
}

/** One cookie for each login attempt at a provider, so that several tabs do not disturb each other. */
export function loginCookieName(publicUrl: { readonly secure: boolean; readonly basePath: string }, state: string): string {
  return `${sessionCookieName(publicUrl)}-login-${state}`;
}

/** The cookie of a device on which a person has logged in. */
export function deviceCookieName(publicUrl: { readonly secure: boolean; readonly basePath: string }): string {
  return `${sessionCookieName(publicUrl)}-device`;
}

/** Labels that only the gateway writes. */
export const RESERVED_LABEL_PREFIX = 'lictor.';

/** The provider of temporary accounts if the configuration has no built-in accounts. No other provider may have this name. */
export const BREAK_GLASS = 'break-glass';

/** The rule that gives rights to the token of `lictor doctor`. No token, account or line of lictor.yaml has this name. */
export const DOCTOR_RULE = 'lictor doctor';
