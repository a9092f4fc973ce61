// The faults that only `lictor doctor --deep` looks for: a stable code and a remedy for each.
import type { Verdict } from '../finding.ts';

const FORWARD = 'Let every proxy in between forward it unchanged: docs/how-to/behind-a-proxy.md.';

export const REMEDIES = {
  'host-changed': 'nginx: proxy_set_header Host $host. Other balancers: preserve the host header of the client.',
  'prefix-stripped': 'Forward the whole path. nginx: proxy_pass without a path behind the port.',
  'authorization-lost': `Prefect's clients send their credential in Authorization. ${FORWARD}`,
  'token-header-lost': `Workers and runs send their credential in X-Lictor-Token. ${FORWARD}`,
  'cookie-lost': `Browsers send their session in Cookie. ${FORWARD}`,
  'origin-lost': `Lictor rejects writes of a browser without its Origin. ${FORWARD}`,
  'origin-replaced': 'Other sites could write with the session of a person. Do not set Origin or Sec-Fetch-Site in the proxy.',
  'path-rewritten':
    'Lictor must decide on the path that the client wrote. nginx: proxy_pass without a path behind the port. Others: turn path normalisation off.',
  'method-blocked': "Prefect's clients use GET, POST, PUT, PATCH and DELETE. Allow all of them in the proxy or its firewall.",
  'target-limited': 'Allow a request line of at least 8 KiB. nginx: large_client_header_buffers 8 32k.',
  'header-limited': 'Tokens and cookies need header lines of at least 8 KiB. nginx: large_client_header_buffers 8 32k.',
  'metadata-lost': 'Also forward /.well-known/ at the root of the host to the gateway: clients look there for the authorization server.',
  'error-replaced': 'Clients need the code in the JSON of an error. nginx: proxy_intercept_errors off. Others: turn custom error pages off.',
  'request-id-lost': `X-Request-Id leads from an error to its record. ${FORWARD}`,
  'answer-headers-lost': `Clients need WWW-Authenticate of a rejection. ${FORWARD}`,
  'page-headers-lost': `Content-Security-Policy protects the pages of the gateway. ${FORWARD}`,
  'answers-cached': 'Turn caching off for this host: docs/how-to/behind-a-proxy.md.',
  'answers-shared': 'At once: turn caching off for this host, and empty the cache. Strangers get answers of authenticated clients.',
  'cross-origin-opened': 'Remove Access-Control-Allow-Origin from the proxy: Lictor decides which origins may read.',
  'body-limited': "Prefect's clients send up to 4 MB at once, and lose logs otherwise. nginx: client_max_body_size 0.",
  'body-buffered': 'nginx: proxy_request_buffering off. Otherwise the proxy stores every body on its disk first.',
  'body-filtered': 'A web application firewall in between reads bodies. Turn it off for /api: Prefect stores code, SQL and HTML as text.',
  'address-forged': 'The proxy must replace X-Forwarded-For. nginx: proxy_set_header X-Forwarded-For $remote_addr.',
  'address-hidden': 'The proxy must send X-Forwarded-For. nginx: proxy_set_header X-Forwarded-For $remote_addr.',
  'proxy-untrusted': 'If a proxy stands in between, name its address in trusted_proxies, so that Lictor sees the addresses of clients.',
  'login-redirect-lost': 'Forward pages of the UI to the gateway, and its redirects to the browser, both unchanged.',
  'redirect-elsewhere': 'Forward Location unchanged. nginx: proxy_redirect off. And preserve the host header of the client.',
  'redirect-prefix-lost': 'Forward Location unchanged: nginx: proxy_redirect off. The path of public_url belongs to it.',
  'return-path-lost': 'Forward path and query of a page unchanged, so that a person gets back to the page after the login.',
  'cookie-removed': 'Forward Set-Cookie unchanged: without it, nobody can log in.',
  'cookie-insecure': 'Do not remove Secure from cookies of the gateway: browsers reject the session cookie without it.',
  'cookie-readable': 'Do not remove HttpOnly from cookies of the gateway: a script could read the session.',
  'cookie-same-site': 'Do not change SameSite=Lax of cookies of the gateway. nginx: remove proxy_cookie_flags.',
  'cookie-domain': 'Do not add Domain to cookies of the gateway: other hosts would get the session. nginx: remove proxy_cookie_domain.',
  'cookie-path': 'Do not change Path of cookies of the gateway. nginx: remove proxy_cookie_path.',
  'plain-http-served': 'Redirect http to https for the whole host, or close its port: credentials cross the network in plain text.',
  'plain-http-elsewhere': 'Redirect http to https on the same host name.',
  'socket-cookie-lost': `The UI opens its sockets with Cookie. ${FORWARD}`,
  'socket-origin-lost': `Lictor rejects a socket of a browser without its Origin. ${FORWARD}`,
  'socket-origin-replaced': 'Other sites could open sockets with the session of a person. Do not set Origin in the proxy.',
  'chain-order': 'Write the server certificate first, then each certificate that signed the one before it.',
  'intermediate-expired': 'Get the current intermediate certificate from your authority, and put it into the chain.',
  'certificate-weak': 'Get a certificate with RSA 2048, or with ECDSA, signed with SHA-256: OpenSSL rejects weaker ones by default.',
  'certificate-not-strict': 'Python 3.13 and later reject it. Let your authority issue it with Subject and Authority Key Identifier (RFC 5280).',
  'python-rejects': "Prefect's clients are Python programs: give them the authority (PREFECT_API_SSL_CERT_FILE), and serve the whole chain.",
  'authority-private': "Prefect's clients know only public authorities: give them yours with PREFECT_API_SSL_CERT_FILE=ca.pem.",
  'address-unreachable': 'Remove the address from DNS, or let the gateway or its balancer listen there: clients try every address.',
  'address-differs': 'Serve the same certificate at every address of the name.',
  'client-rejected': 'Logins fail. Check client_id and the client secret of this provider.',
  'callback-unknown': 'Register it at the provider as a redirect URI of the client.',
  'pkce-missing': 'Turn PKCE with S256 on at the provider.',
  'groups-missing': 'Let the provider send groups, and name their claim in groups_claim: docs/how-to/login.md.',
  'group-misspelt': 'Write the group in roles exactly as the provider sends it.',
  'state-open': 'Run: chmod go-rwx on it. Only the user of the gateway may use it.',
  'state-foreign': 'Run: chown on it, to the user of the gateway. Run every lictor command as this user.',
  'inodes-few': 'Remove small files from this file system, or move the state directory.',
  'descriptors-used': 'Raise the limit: LimitNOFILE=65536 in the unit, or ulimit -n before lictor up. A socket takes two.',
  'back-door-open': 'Stop that Prefect server, or give it the auth string of this one and bind it to 127.0.0.1.',
  'back-door-guarded': 'Bind that Prefect server to 127.0.0.1, or close its port: docs/how-to/existing-server.md.',
} as const satisfies Readonly<Record<string, string>>;

export type DeepCode = keyof typeof REMEDIES;

export function fault(code: DeepCode, message: string): Verdict {
  return { status: 'fail', code, message, remedy: REMEDIES[code] };
}

export function hint(code: DeepCode, message: string): Verdict {
  return { status: 'warn', code, message, remedy: REMEDIES[code] };
}
