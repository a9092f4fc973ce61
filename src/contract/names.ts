// Names that more than one part must agree on: headers, cookies, paths. One place, so that nothing is spelt twice.
import type { ReasonCode } from './reasons.ts';

/** Headers with which nginx hands its own variables to the control plane. Never accepted from, nor sent to, anybody else. */
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

/** Shows the control plane that a request comes from its own nginx (src/config/keys/edge-secret.ts). Secret; forwarded to nobody else. */
export const EDGE_SECRET = 'x-lictor-edge';

/** What a client asks a socket of a service with, as nginx has read it; `Upgrade` and `Connection` themselves are nginx's own on the way to the relay. */
export const HANDSHAKE = {
  /** `HTTP/1.1`. */
  protocol: 'x-lictor-in-protocol',
  connection: 'x-lictor-in-connection',
  /** How long its body says it is; empty: it has none. */
  framing: 'x-lictor-in-framing',
} as const;

/** What a client says about itself, handed over the same way: evidence for the record. No decision reads it. */
export const CLAIM = { flowRun: 'x-lictor-claim-flow-run', deployment: 'x-lictor-claim-deployment' } as const;

/** The same, of the gateway's own pages alone: value of the cookie of the login attempt that `?state=` names. No decision reads it. */
export const LOGIN_BROWSER = 'x-lictor-in-login-browser';

/** Also of the own pages alone: value of the cookie of a device that logged in before (src/identity/authn/accounts/devices.ts). */
export const LOGIN_DEVICE = 'x-lictor-in-login-device';

/** Headers with which the control plane answers nginx. Never forwarded to a client. */
export const OUTPUT = {
  /** The way: direct | mediated | egress | uncredentialed; where there is none, why not (`noWay`). */
  path: 'x-lictor-path',
  /** The key of the identity limit: the principal's id. */
  limit: 'x-lictor-limit',
  /** The roles of the principal that `limits` names, joined by commas; absent: none. */
  limitedRoles: 'x-lictor-limited-roles',
  /** `AccessFacts` (facts.ts): what the access log cannot know by itself. */
  facts: 'x-lictor-facts',
  /** What a service is told of the caller, signed (src/proxies/egress). */
  assertion: 'x-lictor-assertion',
  /** What the service is shown in place of the caller, where it changes: the value of `Authorization`. Secret. */
  credential: 'x-lictor-credential',
  /** How often the cache of this service was purged; absent: it has none. */
  cacheGeneration: 'x-lictor-cache-generation',
} as const;

/**
 * The way of a refused request: nginx reads each header of a decision for every request, so a refusal has none of its own. Its words are
 * in nginx's maps, unless it has more precise ones. `words`: those, safe in JSON and HTML; or of a foreign object the body with which Prefect says
 * that there is none.
 */
export function noWay(code: ReasonCode, words?: string): string {
  return words === undefined ? `no:${code}` : `no:${code}:${words}`;
}

/** Between nginx and the service proxy (src/proxies/egress/proxy). Never accepted from, nor sent to, any other. */
export const SERVICE_PROXY = {
  service: 'x-lictor-proxy-service',
  /** The principal: the key of the identity limit. */
  caller: 'x-lictor-proxy-caller',
  generation: 'x-lictor-cache-generation',
  /** Its answer: what came of the call at the cache. In one word: `$upstream_http_` takes `_` for `-`, and only one spelling is filtered. */
  cache: 'lictorcache',
  /** Its answer: the named location of nginx that refuses the call. nginx obeys it from the service proxy alone. */
  refusal: 'x-accel-redirect',
} as const;

/** What the decision tells the access log, and through it the ledger. Snake case: the record's own names. */
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

/** Everything of Lictor's own lives below this. */
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

/** The name of the cookie says how far it is bound. */
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

/** The provider of accounts that end by themselves, where the configuration has no built-in accounts: no other provider may be called so. */
export const BREAK_GLASS = 'break-glass';

/** The rule by which `lictor doctor` gives its token rights. No token, account or line of lictor.yaml is called so. */
export const DOCTOR_RULE = 'lictor doctor';
