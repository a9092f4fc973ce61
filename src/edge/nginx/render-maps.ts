// The maps that depend on the configuration: session cookie, origin, the words of refusals.
import { isIP } from 'node:net';
import type { Config, PublicUrl } from '../../config/config.ts';
import { isLoopback } from '../../config/sections/public-url.ts';
import { deviceCookieName, loginCookieName, sessionCookieName } from '../../contract/names.ts';
import { REASONS } from '../../contract/reasons.ts';
import { quote, quoteVerbatim } from './quote.ts';

export function renderMaps({ publicUrl, tls }: Pick<Config, 'publicUrl' | 'tls'>): string {
  const certificate = tls?.client == null ? '' : '$lictor_certificate';
  const cookie = sessionCookieName(publicUrl);
  const reason = (code: keyof typeof REASONS): string => `    ${code} `;
  return `# Maps that depend on the configuration.
map $http_cookie $lictor_session {
    ${quoteVerbatim(`~(?:^|; ?)${cookie}=([A-Za-z0-9_-]+)(?:;|$)`)} $1;
    default "";
}
# Doubled, in whatever case: nginx, Node and Prefect would each take another one.
map $http_cookie $lictor_cookie_refusal {
    ${quoteVerbatim(`~*(?:^|[;,\\s])${cookie}\\s*=.*[;,\\s]${cookie}\\s*=`)} "request-invalid";
    default "";
}
# The cookie of the one login attempt that this answer belongs to: its name ends with the attempt's.
map "$arg_state $http_cookie" $lictor_login_browser {
    ${quoteVerbatim(`~^([A-Za-z0-9_-]{22}) (?:.*; ?)?${loginCookieName(publicUrl, '')}\\1=([A-Za-z0-9_-]{43})(?:;|$)`)} $2;
    default "";
}
# The cookie of a device that logged in before. It proves no identity: doubled, the first one counts.
map $http_cookie $lictor_login_device {
    ${quoteVerbatim(`~(?:^|; ?)${deviceCookieName(publicUrl)}=([A-Za-z0-9_-]{1,256})(?:;|$)`)} $1;
    default "";
}
# 1: ours; 0: another; empty: nobody says.
map $http_sec_fetch_site $lictor_fetched_here { same-origin "1"; none ""; "" ""; default "0"; }
map $http_origin $lictor_same_origin { ${quoteVerbatim(publicUrl.origin)} "1"; "" $lictor_fetched_here; default "0"; }
# The carriers beside Authorization and what the origin says, as they stand in the decision's key.
map $lictor_aside $lictor_carriers {
    "" "||${certificate}|";
    default "$http_x_lictor_token|$lictor_session|${certificate}|$lictor_same_origin";
}
${renderPinnedHost(publicUrl)}${renderCertificate(tls)}map $lictor_refusal $lictor_refusal_code { "" "request-invalid"; default $lictor_refusal; }
map $lictor_refusal_code $lictor_refusal_detail {
${reason('path-not-canonical')}${quote(REASONS['path-not-canonical'].detail)};
    default ${quote(REASONS['request-invalid'].detail)};
}
map $lictor_refusal_code $lictor_refusal_hint {
${reason('path-not-canonical')}${quote(REASONS['path-not-canonical'].hint)};
    default ${quote(REASONS['request-invalid'].hint)};
}
${renderWords()}map "" $lictor_origin_detail { default ${quote(REASONS['origin-foreign'].detail)}; }
map "" $lictor_limit_detail { default ${quote(REASONS['limit-exceeded'].detail)}; }
map "" $lictor_limit_hint { default ${quote(REASONS['limit-exceeded'].hint)}; }
map "" $lictor_origin_hint { default ${quote(REASONS['origin-foreign'].hint)}; }
map "" $lictor_upstream_detail { default ${quote(REASONS['upstream-unavailable'].detail)}; }
map "" $lictor_upstream_hint { default ${quote(REASONS['upstream-unavailable'].hint)}; }

# A request without a readable target never got as far as a host.
map $request_uri $lictor_default_code { "" "request-invalid"; default "host-unknown"; }
map $request_uri $lictor_default_detail { "" ${quote(REASONS['request-invalid'].detail)}; default ${quote(REASONS['host-unknown'].detail)}; }
map $request_uri $lictor_default_hint { "" ${quote(REASONS['request-invalid'].hint)}; default ${quote(REASONS['host-unknown'].hint)}; }

# What a server of our own says of itself, between nginx and Prefect: it takes off what Prefect says (src/edge/nginx/render-upstream.ts).
map $lictor_asked $lictor_upstream_code { members $upstream_http_lictorcode; default ""; }
`;
}

/** What a refusal of the decision says, by its code, unless the decision has more precise words: a cached allow has no room for either. */
function renderWords(): string {
  const words = (what: 'detail' | 'hint', name: string): string =>
    `map $lictor_code $lictor_${name} {\n${Object.entries(REASONS)
      .map(([code, text]) => `    ${code} ${quote(text[what])};\n`)
      .join('')}    default "";\n}\n`;
  const detail = 'map $lictor_words $lictor_detail { "" $lictor_code_detail; default $lictor_words; }\n';
  return `${words('detail', 'code_detail')}${detail}${words('hint', 'hint')}`;
}

const YEAR_SECONDS = 31_536_000;

/**
 * Strict-Transport-Security (RFC 6797) holds for a host name with all its ports and paths: it is sent only where the name is this
 * gateway's alone, by all that can be known here. Never for its subdomains, which are others'.
 */
function isPinned({ secure, hostname, port, basePath }: PublicUrl): boolean {
  const isName = !hostname.startsWith('[') && isIP(hostname) === 0 && !isLoopback(hostname);
  return secure && isName && port === 443 && basePath === '';
}

/** Whoever names another host is told nothing. */
function renderPinnedHost(publicUrl: PublicUrl): string {
  if (!isPinned(publicUrl)) return '';
  return `map $host $lictor_transport_security { ${quoteVerbatim(publicUrl.hostname)} "max-age=${YEAR_SECONDS}"; default ""; }
`;
}

/** Included by every place that makes or passes an answer; empty where there is nothing to say. */
export function renderTransportSecurity({ publicUrl }: Pick<Config, 'publicUrl'>): string {
  return isPinned(publicUrl) ? 'add_header Strict-Transport-Security $lictor_transport_security always;\n' : '';
}

/** The whole certificate, as it is the key and the decision's input alike; only of a verified one. */
function renderCertificate(tls: Config['tls']): string {
  const asked = tls?.client != null;
  const certificate = asked ? 'map $ssl_client_verify $lictor_certificate { SUCCESS $ssl_client_escaped_cert; default ""; }' : NO_CERTIFICATE;
  return `${certificate}\n${renderCertificateWords(asked ? '$ssl_client_verify' : '""')}`;
}

const NO_CERTIFICATE = 'map "" $lictor_certificate { default ""; }';

/** nginx says FAILED: and OpenSSL's words. */
function renderCertificateWords(verdict: string): string {
  const words = (what: 'detail' | 'hint'): string =>
    `map $lictor_certificate_code $lictor_certificate_${what} { ${(['certificate-expired', 'certificate-revoked'] as const)
      .map((code) => `${code} ${quote(REASONS[code][what])}; `)
      .join('')}default ${quote(REASONS['certificate-refused'][what])}; }\n`;
  const code = `map ${verdict} $lictor_certificate_code { "~*certificate (?:has expired|is not yet valid)" certificate-expired; "~*revoked" certificate-revoked; default certificate-refused; }\n`;
  return `${code}${words('detail')}${words('hint')}`;
}
