// Config and catalogue -> the files of the nginx configuration, for the nginx version found.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { sessionCookieName } from '../contract/names.ts';
import type { Operation } from '../contract/operation.ts';
import { REASONS } from '../contract/reasons.ts';
import { DOLLAR_VARIABLE, quote, quotePath, quoteVerbatim } from './quote.ts';
import { routeMaps } from './routes.ts';
import { atLeast, type NginxVersion } from './version.ts';

/** The hand-written parts, included by name from the rendered `nginx.conf`. */
const PARTS_DIR = join(import.meta.dirname, '../../nginx');

export interface EdgeInput {
  readonly config: Config;
  readonly paths: StatePaths;
  readonly operations: readonly Operation[];
  readonly version: NginxVersion;
  /** nginx's worker user; null: the user that starts it. */
  readonly workerUser: string | null;
  /** A directory that nginx's workers can write large request bodies to. */
  readonly tempDir: string;
  readonly workers: number;
  /** How many files a worker may open: the process's hard limit, at most 65,536. */
  readonly openFiles: number;
}

/** File name -> content. Secrets stand in `upstream-credential.conf` alone; all files are written 0600. */
export type EdgeFiles = ReadonlyMap<string, string>;

export function renderEdge(input: EdgeInput): EdgeFiles {
  const files = new Map<string, string>();
  for (const name of readdirSync(PARTS_DIR)
    .filter((entry) => entry.endsWith('.conf'))
    .sort()) {
    files.set(name, readFileSync(join(PARTS_DIR, name), 'utf8'));
  }
  files.set('routes.conf', renderRoutes(input.operations));
  files.set('gateway.conf', renderGateway(input));
  files.set('upstream.conf', renderUpstreamHeaders(input.config));
  files.set('upstream-credential.conf', renderCredential(input.config));
  files.set('nginx.conf', renderMain(input));
  return files;
}

function renderMain({ config, paths, version, workerUser, tempDir, workers, openFiles }: EdgeInput): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `    ${kind}_temp_path ${quotePath(join(tempDir, kind))};`);
  return `# Rendered by lictor for nginx ${version.text}: do not edit, it is replaced at every start.
daemon off;
${workerUser === null ? '' : `user ${workerUser};\n`}worker_processes ${workers};
worker_rlimit_nofile ${openFiles};
worker_shutdown_timeout 1h;
pid ${quotePath(paths.nginxPid)};
error_log ${quotePath(paths.edgeErrorLog)} warn;
pcre_jit on;
events { worker_connections ${Math.min(16384, Math.floor(openFiles / 2))}; }
http {
    server_tokens off;
    absolute_redirect off;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    map_hash_max_size 8192;
    map_hash_bucket_size 256;
    variables_hash_max_size 4096;
    server_names_hash_bucket_size 256;
    underscores_in_headers off;
    large_client_header_buffers 8 32k;
    client_max_body_size 16m;
    client_body_buffer_size 128k;
    client_header_timeout 30s;
    client_body_timeout 60s;
    keepalive_timeout 75s;
    keepalive_requests 100000;
    reset_timedout_connection on;
    tcp_nodelay on;
${temp.join('\n')}
    geo $${DOLLAR_VARIABLE} { default "$"; }
    # One object a line, unbuffered: what the ledger is made of. Never a query, a cookie or a credential.
    log_format lictor escape=json '{"msec":$msec,"request_id":"$request_id","addr":"$remote_addr","ua":"$http_user_agent","method":"$request_method","path":"$lictor_raw_path","status":$status,"bytes":$bytes_sent,"duration":$request_time,"upstream":"$upstream_response_time","operation":"$lictor_operation","taken":"$lictor_taken","facts":"$lictor_facts","code":"$lictor_refused","x_prefect_flow_id":"$http_x_prefect_flow_id","x_prefect_deployment_id":"$http_x_prefect_deployment_id","pid":$pid,"conn":$connection}';
    access_log ${quotePath(paths.accessLog)} lictor;

    proxy_cache_path ${quotePath(paths.decisionCache)} levels=1:2 keys_zone=lictor_decisions:16m max_size=64m inactive=40s use_temp_path=off;
    limit_req_zone $lictor_limit zone=lictor_identity:16m rate=${config.limit.ratePerSecond}r/s;
    limit_req_zone $binary_remote_addr zone=lictor_own:4m rate=50r/s;
    limit_req_status 429;
    limit_req_log_level info;

    upstream lictor_decision { server unix:${paths.decisionSocket}; keepalive 32; }
    upstream lictor_control { server unix:${paths.controlSocket}; keepalive 16; }
    upstream lictor_relay { server unix:${paths.relaySocket}; }
    # uvicorn closes idle connections after 5 s: ours end before that.
    upstream lictor_prefect { server ${upstreamAddress(config)}; keepalive 64; keepalive_timeout 4s; }

    include canonical.conf;
    include routes.conf;
    include gateway.conf;
}
`;
}

function renderRoutes(operations: readonly Operation[]): string {
  const maps = routeMaps(operations);
  const block = (source: string, target: string, lines: readonly string[], fallback: string): string =>
    `map ${source} ${target} {\n${lines.map((line) => `    ${line}\n`).join('')}    default ${fallback};\n}\n`;
  return [
    '# The action catalogue. Unknown paths and methods have no operation, and are denied.\n',
    block('$lictor_raw_path', '$lictor_collapsed', maps.collapsed, '$lictor_static_path'),
    block('$lictor_collapsed', '$lictor_template', maps.templates, '$lictor_parameterised'),
    block('$lictor_raw_path', '$lictor_parameterised', maps.parameterised, '""'),
    block('"$request_method $lictor_template"', '$lictor_operation', maps.operations, '""'),
    '# What the decision may depend on beside the operation: it is then in the key, and handed over.\n',
    block('$lictor_operation', '$lictor_object', maps.objects, '""'),
    block('$lictor_operation', '$lictor_deciding_args', maps.args, '""'),
    '# Pages of the UI get a script and headers of their own.\n',
    'map $lictor_operation $lictor_area { ~^ui: "ui"; default "api"; }\n',
  ].join('\n');
}

function renderGateway(input: EdgeInput): string {
  const { config, version } = input;
  const { publicUrl } = config;
  const cookie = sessionCookieName(publicUrl);
  const listens = config.listen.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  const secure = config.tls !== null;
  const oldHttp2 = secure && !atLeast(version, 1, 25, 1);
  const listen = (suffix: string): string =>
    listens.map((address) => `    listen ${address}${suffix}${secure ? ' ssl' : ''}${oldHttp2 ? ' http2' : ''};\n`).join('');
  const tls = secure ? renderTls(config, version) : '';
  const names = isLoopback(publicUrl.hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [publicUrl.hostname];
  const reason = (code: keyof typeof REASONS): string => `    ${code} `;
  return `map $http_cookie $lictor_session {
    ${quoteVerbatim(`~(?:^|; ?)${cookie}=([A-Za-z0-9_-]+)(?:;|$)`)} $1;
    default "";
}
# Doubled, in whatever case: nginx, Node and Prefect would each take another one.
map $http_cookie $lictor_cookie_refusal {
    ${quoteVerbatim(`~*(?:^|[;,\\s])${cookie}\\s*=.*[;,\\s]${cookie}\\s*=`)} "request-invalid";
    default "";
}
map $http_sec_fetch_site $lictor_fetched_here { same-origin "1"; default ""; }
map $http_origin $lictor_same_origin { ${quoteVerbatim(publicUrl.origin)} "1"; "" $lictor_fetched_here; default ""; }
# Client certificates come with their own part.
map "" $lictor_certificate { default ""; }
map $lictor_refusal $lictor_refusal_code { "" "request-invalid"; default $lictor_refusal; }
map $lictor_refusal_code $lictor_refusal_detail {
${reason('path-not-canonical')}${quote(REASONS['path-not-canonical'].detail)};
    default ${quote(REASONS['request-invalid'].detail)};
}
map $lictor_refusal_code $lictor_refusal_hint {
${reason('path-not-canonical')}${quote(REASONS['path-not-canonical'].hint)};
    default ${quote(REASONS['request-invalid'].hint)};
}
map "" $lictor_origin_detail { default ${quote(REASONS['origin-foreign'].detail)}; }
map "" $lictor_origin_hint { default ${quote(REASONS['origin-foreign'].hint)}; }

# A request without a readable target never got as far as a host.
map $request_uri $lictor_default_code { "" "request-invalid"; default "host-unknown"; }
map $request_uri $lictor_default_detail { "" ${quote(REASONS['request-invalid'].detail)}; default ${quote(REASONS['host-unknown'].detail)}; }
map $request_uri $lictor_default_hint { "" ${quote(REASONS['request-invalid'].hint)}; default ${quote(REASONS['host-unknown'].hint)}; }

# Whoever names another host, or none, is not talking to this gateway.
server {
${listen(' default_server')}    server_name _;
${tls}    set $lictor_taken "";
    set $lictor_refused $lictor_default_code;
    set $lictor_facts "";
    root ${quotePath(dirname(input.paths.decisionSocket))};
    # Also where nginx itself cannot read a request. Not a named location: such a request has no URI to go there with.
    error_page 400 404 405 413 414 494 497 /.lictor-refused;
    location / { return 400; }
    location = /.lictor-refused {
        internal;
        default_type application/json;
        include own-answer.conf;
        return 400 '{"detail":"$lictor_default_detail","code":"$lictor_default_code","hint":"$lictor_default_hint","request_id":"$request_id"}';
    }
}

server {
${listen('')}    server_name ${names.map(quoteVerbatim).join(' ')};
${tls}    set $lictor_taken "";
    set $lictor_refused "";
    set $lictor_facts "";
    root ${quotePath(dirname(input.paths.decisionSocket))};
    error_page 400 405 414 494 497 = @refuse_request;
    error_page 403 = @origin_foreign;
    error_page 404 = @not_found;
    error_page 413 = @too_large;
    error_page 500 502 503 504 = @unavailable;

    add_header X-Request-Id $request_id always;
    add_header Allow "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" always;

    # Refusals that need no decision. Named locations answer them; nothing is forwarded.
    if ($lictor_refusal) { return 400; }
    if ($lictor_origin_refusal) { return 403; }
    # Never Prefect's own answer, which would open the API to every origin.
    if ($request_method = OPTIONS) { return 204; }

    include decision.conf;
    include refusals.conf;

    # Everything of Prefect: decided here, forwarded by the named location that the decision names.
    location / {
        auth_request /.lictor-decision;
        auth_request_set $lictor_path_out $upstream_http_x_lictor_path;
        auth_request_set $lictor_limit $upstream_http_x_lictor_limit;
        auth_request_set $lictor_facts $upstream_http_x_lictor_facts;
        auth_request_set $lictor_code $upstream_http_x_lictor_code;
        auth_request_set $lictor_detail $upstream_http_x_lictor_detail;
        auth_request_set $lictor_hint $upstream_http_x_lictor_hint;
        error_page 400 405 414 494 497 = @refuse_request;
        error_page 401 = $lictor_on_401;
        error_page 403 = $lictor_on_403;
        error_page 413 = @too_large;
        error_page 500 502 503 504 = $lictor_on_503;
        try_files /.never @$lictor_target;
    }

    location @direct {
        set $lictor_taken direct;
        limit_req zone=lictor_identity burst=${config.limit.burst} nodelay;
        include forwarding.conf;
        include client-headers.conf;
        include upstream.conf;
        proxy_set_header Accept-Encoding $http_accept_encoding;
        error_page 429 = @limited;
        error_page 500 502 504 = @upstream_failed;
        proxy_pass http://lictor_prefect;
    }

    location @ui {
        set $lictor_taken direct;
        limit_req zone=lictor_identity burst=${config.limit.burst} nodelay;
        include forwarding.conf;
        include client-headers.conf;
        include upstream.conf;
        proxy_set_header Accept-Encoding "";
        gzip on;
        gzip_proxied any;
        gzip_types text/css application/javascript text/javascript application/json image/svg+xml;
        # No UI of Prefect leaves its page when the session ends: this script does.
        sub_filter "</head>" "<script src=\\"/.lictor/expired.js\\"></script></head>";
        add_header Cache-Control $lictor_ui_cache_control always;
        add_header Content-Security-Policy "connect-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'" always;
        add_header X-Content-Type-Options nosniff always;
        add_header Referrer-Policy same-origin always;
        error_page 429 = @limited;
        error_page 500 502 504 = @upstream_failed;
        proxy_pass http://lictor_prefect;
    }

    location @mediated {
        set $lictor_taken mediated;
        limit_req zone=lictor_identity burst=${config.limit.burst} nodelay;
        include forwarding.conf;
        include client-headers.conf;
        include inputs.conf;
${renderForwardHeaders(config)}        proxy_set_header X-Lictor-In-Operation $lictor_operation;
        proxy_set_header X-Lictor-In-Path $lictor_raw_path;
        proxy_set_header X-Lictor-In-Args $lictor_raw_args;
        proxy_set_header Content-Encoding $http_content_encoding;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_connect_timeout 2s;
        proxy_read_timeout 75s;
        error_page 429 = @limited;
        error_page 500 502 504 = @upstream_failed;
        proxy_pass http://lictor_control;
    }

    # The gateway's own pages authenticate themselves.
    location = /.lictor { return 404; }
    location ^~ /.lictor/ {
        set $lictor_taken own;
        limit_req zone=lictor_own burst=200 nodelay;
        include forwarding.conf;
        include client-headers.conf;
        include inputs.conf;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_connect_timeout 2s;
        client_max_body_size 64k;
        error_page 429 = @limited;
        error_page 500 502 503 504 = $lictor_on_503;
        proxy_pass http://lictor_control;
    }
${renderSockets(input.operations)}}
`;
}

/** Sockets have no auth_request: the relay authenticates, by header or by first frame. */
function renderSockets(operations: readonly Operation[]): string {
  const sockets = operations.filter((operation) => operation.taken === 'relay');
  return sockets
    .map((operation) => {
      const matcher = operation.path.includes('{')
        ? `~ ${quoteVerbatim(`^${operation.path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)}`
        : `= ${quoteVerbatim(operation.path)}`;
      return `
    location ${matcher} {
        set $lictor_taken relay;
        include relay.conf;
    }
`;
    })
    .join('');
}

function renderTls({ tls }: Config, version: NginxVersion): string {
  if (tls === null) return '';
  return `    ssl_certificate ${quotePath(tls.certFile)};
    ssl_certificate_key ${quotePath(tls.keyFile)};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_session_cache shared:lictor_tls:8m;
    ssl_session_tickets off;
${atLeast(version, 1, 25, 1) ? '    http2 on;\n' : ''}`;
}

/** Host and scheme are ours: Prefect builds absolute links from them. The rest of X-Forwarded-* is not sent. */
function renderUpstreamHeaders(config: Config): string {
  const { publicUrl } = config;
  const authority = publicUrl.origin.slice(publicUrl.origin.indexOf('//') + 2);
  return `proxy_set_header Host ${quote(authority)};
proxy_set_header X-Forwarded-Proto ${publicUrl.secure ? 'https' : 'http'};
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header Connection "";
${renderForwardHeaders(config)}include upstream-credential.conf;
proxy_redirect ${quote(`http://${authority}/`)} /;
proxy_redirect ${quote(`https://${authority}/`)} /;
proxy_connect_timeout 2s;
proxy_read_timeout 75s;
proxy_send_timeout 75s;
`;
}

function renderForwardHeaders(config: Config): string {
  return config.forwardHeaders.map((name) => `proxy_set_header ${name} $http_${name.toLowerCase().replaceAll('-', '_')};\n`).join('');
}

/** Prefect's own credential; the client's never reaches it. */
function renderCredential({ prefect }: Config): string {
  if (prefect.authString === null) return 'proxy_set_header Authorization "";\n';
  return `proxy_set_header Authorization ${quote(`Basic ${Buffer.from(prefect.authString, 'utf8').toString('base64')}`)};\n`;
}

function upstreamAddress({ prefect }: Config): string {
  const url = new URL(prefect.url);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname}:${port}`;
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || hostname === '[::1]' || /^127\./.test(hostname);
}
