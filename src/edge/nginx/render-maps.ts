// The maps that depend on the configuration: session cookie, origin, texts of rejections.
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
# Rejects two session cookies, in any case: nginx, Node and Prefect would each read a different one.
map $http_cookie $lictor_cookie_refusal {
    ${quoteVerbatim(`~*(?:^|[;,\\s])${cookie}\\s*=.*[;,\\s]${cookie}\\s*=`)} "request-invalid";
    default "";
}
# The cookie of the login attempt that the parameter state names. The name of the cookie ends with the name of the attempt.
map "$arg_state $http_cookie" $lictor_login_browser {
    ${quoteVerbatim(`~^([A-Za-z0-9_-]{22}) (?:.*; ?)?${loginCookieName(publicUrl, '')}\\1=([A-Za-z0-9_-]{43})(?:;|$)`)} $2;
    default "";
}
# The cookie of a device that logged in before. It proves no identity, so the first of two counts.
map $http_cookie $lictor_login_device {
    ${quoteVerbatim(`~(?:^|; ?)${deviceCookieName(publicUrl)}=([A-Za-z0-9_-]{1,256})(?:;|$)`)} $1;
    default "";
}
# 1: this origin; 0: another one; empty: the client does not say.
map $http_sec_fetch_site $lictor_fetched_here { same-origin "1"; none ""; "" ""; default "0"; }
map $http_origin $lictor_same_origin { ${quoteVerbatim(publicUrl.origin)} "1"; "" $lictor_fetched_here; default "0"; }
# The carriers other than Authorization, and the origin, as the key of the decision has them.
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

# nginx rejects a request without a readable target before it reads the host.
map $request_uri $lictor_default_code { "" "request-invalid"; default "host-unknown"; }
map $request_uri $lictor_default_detail { "" ${quote(REASONS['request-invalid'].detail)}; default ${quote(REASONS['host-unknown'].detail)}; }
map $request_uri $lictor_default_hint { "" ${quote(REASONS['request-invalid'].hint)}; default ${quote(REASONS['host-unknown'].hint)}; }

# The reason that a balancer member gives in a header. The member removes this header from Prefect's answers (src/edge/nginx/render-upstream.ts).
map $lictor_asked $lictor_upstream_code { members $upstream_http_lictorcode; default ""; }
`;
}

/** The text of each reason, unless the decision has a more precise one. A header of the decision would make every cached allow larger. */
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
 * Strict-Transport-Security (RFC 6797) covers all ports and paths of a host name. Lictor sends it only if this gateway appears to have
 * the name for itself, and never for subdomains, because they may belong to others.
 */
function isPinned({ secure, hostname, port, basePath }: PublicUrl): boolean {
  const isName = !hostname.startsWith('[') && isIP(hostname) === 0 && !isLoopback(hostname);
  return secure && isName && port === 443 && basePath === '';
}

/** Empty for a request with another host name. */
function renderPinnedHost(publicUrl: PublicUrl): string {
  if (!isPinned(publicUrl)) return '';
  return `map $host $lictor_transport_security { ${quoteVerbatim(publicUrl.hostname)} "max-age=${YEAR_SECONDS}"; default ""; }
`;
}

/** Every location that creates or forwards an answer includes it. */
export function renderTransportSecurity({ publicUrl }: Pick<Config, 'publicUrl'>): string {
  return isPinned(publicUrl) ? 'add_header Strict-Transport-Security $lictor_transport_security always;\n' : '';
}

/** The whole certificate, because it is an input of the decision and a part of its key. Empty unless it is verified. */
function renderCertificate(tls: Config['tls']): string {
  const asked = tls?.client != null;
  const certificate = asked ? 'map $ssl_client_verify $lictor_certificate { SUCCESS $ssl_client_escaped_cert; default ""; }' : NO_CERTIFICATE;
  return `${certificate}\n${renderCertificateWords(asked ? '$ssl_client_verify' : '""')}`;
}

const NO_CERTIFICATE = 'map "" $lictor_certificate { default ""; }';

/** The verdict of nginx is `FAILED:` and the text of OpenSSL. */
function renderCertificateWords(verdict: string): string {
  const words = (what: 'detail' | 'hint'): string =>
    `map $lictor_certificate_code $lictor_certificate_${what} { ${(['certificate-expired', 'certificate-revoked'] as const)
      .map((code) => `${code} ${quote(REASONS[code][what])}; `)
      .join('')}default ${quote(REASONS['certificate-refused'][what])}; }\n`;
  const code = `map ${verdict} $lictor_certificate_code { "~*certificate (?:has expired|is not yet valid)" certificate-expired; "~*revoked" certificate-revoked; default certificate-refused; }\n`;
  return `${code}${words('detail')}${words('hint')}`;
}
