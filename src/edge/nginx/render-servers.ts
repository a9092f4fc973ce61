// The two public servers: one for requests with another host name, one for the gateway.
import type { Config, PublicUrl } from '../../config/config.ts';
import { isLoopback } from '../../config/sections/public-url.ts';
import { OWN_PREFIX } from '../../contract/names.ts';
import type { Operation } from '../../contract/operation.ts';
import { quotePath, quoteVerbatim } from './quote.ts';
import { literal, renderPlaces } from './render-base-path.ts';
import { renderUnknownService } from './render-services.ts';
import { atLeast, type NginxVersion } from './version.ts';

/** `try_files` looks for a file below it on every request. No file can exist there, and the kernel reports that fast. */
const NO_FILES = '/dev/null';

const HEALTH = `${OWN_PREFIX}health`;

export interface ServersInput {
  readonly config: Config;
  readonly operations: readonly Operation[];
  readonly version: NginxVersion;
}

export function renderServers({ config, operations, version }: ServersInput): string {
  const { hostname } = config.publicUrl;
  const tls = `${renderRealAddress(config)}${renderTls(config, version)}`;
  const names = isLoopback(hostname) ? [...new Set(['localhost', '127.0.0.1', '[::1]', hostname])] : [hostname];
  return `# A request with another host name, or without one, is not for this gateway. Only its health is for a balancer, which may name an address instead.
server {
${renderListens(config, version, ' default_server')}    server_name _;
${tls}    set $lictor_refused $lictor_default_code;
    root ${NO_FILES};
    # Also for a request that nginx cannot read: it has no URI, so nginx cannot use a named location.
    error_page 400 404 405 413 414 494 495 496 497 /.lictor-refused;
    error_page 501 505 =400 /.lictor-refused;
    location / { return 400; }
    location = ${quotePath(`${config.publicUrl.basePath}${HEALTH}`)} {
        limit_except GET { deny all; }
        set $lictor_refused "";
        set $lictor_taken own;
        limit_req zone=lictor_own burst=200 nodelay;
        include forwarding.conf;
        include inputs.conf;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_connect_timeout 2s;
        client_max_body_size 1k;
        error_page 403 =400 /.lictor-refused;
        error_page 429 500 502 503 504 = @unhealthy;
        # Exactly this path, however the client wrote it.
        proxy_pass http://lictor_control${config.publicUrl.basePath}${HEALTH};
    }
    location @unhealthy {
        default_type application/json;
        include own-answer.conf;
        return 503 '{"status":"unavailable"}';
    }
    location = /.lictor-refused {
        internal;
        set $lictor_page_text "$lictor_default_detail $lictor_default_hint";
        if ($lictor_navigation) { rewrite ^ /.lictor-page/400 last; }
        default_type application/json;
        include own-answer.conf;
        return 400 '{"detail":"$lictor_default_detail","code":"$lictor_default_code","hint":"$lictor_default_hint","request_id":"$lictor_request_id"}';
    }
    include pages.conf;
}

server {
${renderListens(config, version, '')}    server_name ${names.map(quoteVerbatim).join(' ')};
${tls}    root ${NO_FILES};
    error_page 418 = $lictor_stop_at;
    error_page 400 405 414 494 497 /.lictor-refused;
    error_page 495 496 =401 /.lictor-uncertified;
    error_page 501 505 =400 /.lictor-refused;
    error_page 403 = @origin_foreign;
    error_page 404 = @not_found;
    error_page 413 = @too_large;
    error_page 500 502 503 504 = @unavailable;

    add_header X-Request-Id $lictor_request_id always;
    include transport-security.conf;

    # Requests without a decision: a named location answers them, and nginx forwards nothing. 418 leads to $lictor_stop_at.
    if ($uri = "/.lictor-decision") { break; }
    if ($uri = "/.lictor-refused") { break; }
    if ($uri = "/.lictor-uncertified") { break; }
    if ($lictor_stop) { return 418; }
    # Not in a map, which would convert the whole header to lower case first.
    if ($http_authorization ~ "[|\\x00-\\x1f\\x7f-\\xff]") { return 418; }

    include decision.conf;
    include refusals.conf;
    include pages.conf;

    include locations.conf;
${renderPlaces(config)}${renderUnknownService(config)}${config.services.length === 0 ? '' : '    include services.conf;\n'}${renderSockets(operations, config.publicUrl)}}
`;
}

function renderListens({ listen, tls }: Config, version: NginxVersion, suffix: string): string {
  const kind = tls === null ? '' : atLeast(version, 1, 25, 1) ? ' ssl' : ' ssl http2';
  return listen.map(({ host, port }) => `    listen ${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}${suffix}${kind};\n`).join('');
}

/** Sockets have no auth_request: the relay authenticates, by header or by first frame. */
function renderSockets(operations: readonly Operation[], { basePath }: PublicUrl): string {
  const sockets = operations.filter((operation) => operation.taken === 'relay');
  return sockets
    .map((operation) => {
      const matcher = operation.path.includes('{')
        ? `~ ${quoteVerbatim(`^${literal(basePath)}${operation.path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)}`
        : `= ${quoteVerbatim(`${basePath}${operation.path}`)}`;
      return `
    location ${matcher} {
        set $lictor_taken relay;
        set $lictor_relay_again @relay_again;
        include relay.conf;
    }
`;
    })
    .join('');
}

/** The trusted proxies. The client is the last address in X-Forwarded-For that is not a trusted proxy. */
function renderRealAddress({ proxies }: Config): string {
  if (proxies.trusted.length === 0) return '';
  const from = proxies.trusted.map((network) => `    set_real_ip_from ${network};\n`).join('');
  return `${from}    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n`;
}

/** The TLS versions for clients. */
export const TLS_PROTOCOLS: readonly string[] = ['TLSv1.2', 'TLSv1.3'];
/** For TLS 1.2: only ciphers with forward secrecy and AEAD. All ciphers of TLS 1.3 have both. */
export const TLS_CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20';

function renderTls({ tls }: Config, version: NginxVersion): string {
  if (tls === null) return '';
  return `    ssl_certificate ${quotePath(tls.certFile)};
    ssl_certificate_key ${quotePath(tls.keyFile)};
    ssl_protocols ${TLS_PROTOCOLS.join(' ')};
    ssl_ciphers ${TLS_CIPHERS};
    ssl_session_cache ${tls.client === null ? 'shared:lictor_tls:8m' : 'off'};
    ssl_session_tickets off;
${renderClientCertificates(tls.client)}${atLeast(version, 1, 25, 1) ? '    http2 on;\n' : ''}`;
}

/**
 * In both servers, because the handshake comes before nginx knows the host. Resumption is off: a resumed session has the verdict of its
 * first handshake, even if the certificate has expired or was revoked since.
 */
function renderClientCertificates(client: NonNullable<Config['tls']>['client']): string {
  if (client === null) return '';
  const crl = client.crlFile === null ? '' : `    ssl_crl ${quotePath(client.crlFile)};\n`;
  return `    ssl_verify_client optional;
    ssl_verify_depth 4;
    ssl_client_certificate ${quotePath(client.caFile)};
${crl}`;
}
