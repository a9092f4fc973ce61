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

/** Also from nginx to the control plane: claims of a client about its run. They are evidence for the record, and no decision reads them. */
export const CLAIM = { flowRun: 'x-lictor-claim-flow-run', deployment: 'x-lictor-claim-deployment' } as const;

/** Only for the gateway's pages: nginx sends the cookie of the login attempt that `?state=` names. No decision reads it. */
export const LOGIN_BROWSER = 'x-lictor-in-login-browser';

/** Only for the gateway's pages: nginx sends the cookie of a device that logged in before (src/identity/authn/accounts/devices.ts). */
export const LOGIN_DEVICE = 'x-lictor-in-login-device';

/** Headers of the control plane's answer to nginx. Never forwarded to a client. */
export const OUTPUT = {
  /** The path for an allowed request: direct | mediated | egress | uncredentialed. For a rejected one: the reason (`noWay`). */
  path: 'x-lictor-path',
  /** The principal's id, by which nginx counts requests for `limits`. */
  limit: 'x-lictor-limit',
  /** The principal's roles that have a limit in `limits`, joined by commas. Absent: none. */
  limitedRoles: 'x-lictor-limited-roles',
  /** `AccessFacts` as text, for the access log (facts.ts). */
  facts: 'x-lictor-facts',
  /** The reason for which an observed request would be denied, for the answer on the direct path. */
  wouldDeny: 'x-lictor-would-deny',
  /** A signed assertion about the principal, for the service (src/proxies/egress). */
  assertion: 'x-lictor-assertion',
  /** The current access token for the service, as the value of `Authorization`. Secret. */
  credential: 'x-lictor-credential',
  /** The number of purges of this service's cache. Absent: the service has no cache. */
  cacheGeneration: 'x-lictor-cache-generation',
} as const;

/**
 * The value of `OUTPUT.path` for a rejected request. A separate header would cost time on every request, because nginx reads all headers of a decision.
 * nginx's maps have the text of each code. `words` replaces it by a more precise text, safe in JSON and HTML. For a foreign object, `words` is the
 * body of Prefect's answer for a missing object.
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
  /** Left out: enforce. */
  readonly mode?: 'observe';
}

/** All pages and APIs of Lictor are below this path. */
export const OWN_PREFIX = '/.lictor/';

/** The interface for agents. */
export const MCP_PATH = `${OWN_PREFIX}mcp`;

/** RFC 9728. The path of another resource than public_url follows. */
export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

/** The public keys that verify what this gateway signs. */
export const KEY_SET = '/.well-known/lictor-jwks.json';

/** Where clients look for the authorization server: at the host's root, and where RFC 8414 and OpenID Connect put a path of public_url. */
export function wellKnownPaths(basePath: string) {
  const both = (name: string, path = ''): readonly string[] => [
    ...new Set(['', basePath].flatMap((base) => [`${name}${base}${path}`, `${base}${name}${path}`])),
  ];
  const server = [...both('/.well-known/oauth-authorization-server'), ...both('/.well-known/openid-configuration')];
  const resource = both(RESOURCE_METADATA);
  const mcpResource = both(RESOURCE_METADATA, MCP_PATH);
  const keySets = [...new Set([KEY_SET, `${basePath}${KEY_SET}`])];
  return { server, resource, mcpResource, keySets, all: [...server, ...resource, ...mcpResource, ...keySets] };
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
