// The upstreams for Prefect: one server directly, several through a balancer whose members change without a reload.
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { downFile, memberName } from '../../config/down-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { REASONS } from '../../contract/reasons.ts';
import { type Credential, credentialsOf, listenersOf, type Member, membersOf } from '../../prefect/client/members.ts';
import { quote, quotePath } from './quote.ts';
import { authorityOf, forwardedTarget, renderRedirects } from './render-base-path.ts';
import { PAGE_SECURITY_POLICY, renderPageText } from './render-pages.ts';
import { atLeast, type NginxVersion } from './version.ts';

export interface UpstreamInput {
  readonly config: Config;
  readonly paths: StatePaths;
  readonly version: NginxVersion;
}

export function renderUpstreams({ config, paths, version }: UpstreamInput): string {
  // A connection with a socket cannot be reused. nginx 1.29.7 and later reuses connections by default; older versions reject this setting.
  const once = atLeast(version, 1, 29, 7) ? ' keepalive 0;' : '';
  const relayQueue = (name: string, socket: string) =>
    `upstream ${name} { server unix:${socket} max_fails=0; server unix:${paths.holdSocket} max_fails=0 backup;${once} }\n`;
  const own = `# The sockets of the control plane and of the supervisor.
upstream lictor_decision { server unix:${paths.decisionSocket}; keepalive 32; }
upstream lictor_control { server unix:${paths.controlSocket}; keepalive 16; }
# An upgrade that the control plane cannot take waits at the supervisor, and then asks again (nginx/relay.conf).
${relayQueue('lictor_relay', paths.relaySocket)}${relayQueue('lictor_anonymous', paths.anonymousSocket)}
# uvicorn closes idle connections after 5 s, so nginx closes them before that.
`;
  const behind = `${renderLastResort(paths)}${listenersOf(config.prefect)
    .map((member) => renderMember(config, paths, member))
    .join('')}`;
  const members = membersOf(config.prefect);
  const only = onlyMember(config);
  const straight = only === undefined ? '' : `upstream lictor_prefect_straight { server ${address(only.server)}; keepalive 64; keepalive_timeout 4s; }\n`;
  // Twice during a rotation: Prefect may change its credential between the two attempts.
  const attempts = credentialsOf(config.prefect).length > 1 ? [...members, ...members] : members;
  const sockets = attempts.map(({ id }) => `    server unix:${memberSocket(paths, id)} max_fails=0;\n`).join('');
  const last = `    server unix:${lastResort(paths)} max_fails=0 backup;\n`;
  return `${own}${straight}upstream lictor_prefect {\n${sockets}${last}    keepalive 64;\n}\n${behind}`;
}

/** One server and one credential: nothing to choose between. */
function onlyMember({ prefect }: Config): Member | undefined {
  const [only, ...more] = membersOf(prefect);
  return more.length === 0 ? only : undefined;
}

/**
 * Answers if no member could: no request was forwarded, or Prefect rejected the gateway's credential. A navigation gets a page.
 * No upstream uses status 418, so it can lead to the page (nginx accepts no Content-Type within `if`).
 */
function renderLastResort(paths: StatePaths): string {
  return `server {
    listen unix:${lastResort(paths)};
    access_log off;
    location @page {
        default_type "text/html; charset=utf-8";
${UNAVAILABLE}        add_header Prefect-Maintenance true always;
        add_header Refresh 3 always;
        add_header Content-Security-Policy ${PAGE_SECURITY_POLICY} always;
        return 503 ${AWAY_PAGE};
    }
    location / {
        error_page 418 = @page;
        if ($lictor_navigation) { return 418; }
${JSON_TYPE}${UNAVAILABLE}        add_header Prefect-Maintenance true always;
        return 503 ${unavailableBody()};
    }
}
`;
}

const AWAY_PAGE = renderPageText({
  title: 'One moment',
  text: `${REASONS['upstream-unavailable'].detail} This page tries again by itself.`,
  code: 'upstream-unavailable',
  requestId: '$http_x_lictor_in_request_id',
});

const JSON_TYPE = '        default_type application/json;\n';

const UNAVAILABLE = `        add_header Lictorcode upstream-unavailable always;
        add_header Retry-After 2 always;
`;

function unavailableBody(): string {
  const { detail, hint } = REASONS['upstream-unavailable'];
  return `'{"detail":"${detail}","code":"upstream-unavailable","hint":"${hint}","request_id":"$http_x_lictor_in_request_id"}'`;
}

/**
 * A member answers 504 if its Prefect did nothing: it is marked as down, rejects the connection, or rejects the gateway's credential (a 401 would
 * end stock workers). Then nginx asks the next member, also with a POST. A failure after forwarding is the final answer: a 503, and no other
 * member gets the request. Other answers of Prefect pass, without the header by which a member gives its reason.
 */
function renderMember(config: Config, paths: StatePaths, { id, server, shows }: Member): string {
  // The balancer marks no single server (src/edge/nginx/balancer.ts), and marks of former servers must not count.
  const marks = config.prefect.servers.length > 1 ? `    if (-f ${quotePath(downFile(paths, server))}) { return 504; }\n` : '';
  return `upstream lictor_prefect_${memberName(id)} { server ${address(server)} max_fails=0; keepalive 64; keepalive_timeout 4s; }
server {
    listen unix:${memberSocket(paths, id)};
    access_log off;
${marks}    location @next { return 504; }
    location @failed {
        if ($upstream_connect_time !~ "[0-9]") { return 504; }
${JSON_TYPE}${UNAVAILABLE}        return 503 ${unavailableBody()};
    }
    location / {
        proxy_http_version 1.1;
        proxy_set_header Host ${quote(authorityOf(config.publicUrl))};
        proxy_set_header Connection "";
        proxy_set_header X-Lictor-In-Request-Id "";
${shows === 'next' ? '        include upstream-credential-next.conf;\n' : ''}        proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
        proxy_hide_header Lictorcode;
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_connect_timeout 2s;
        proxy_read_timeout ${patience(config.prefect)};
        proxy_send_timeout ${patience(config.prefect)};
        proxy_next_upstream off;
        proxy_intercept_errors on;
        error_page 401 = @next;
        error_page 502 504 = @failed;
${indent(renderProxyPass(config, `lictor_prefect_${memberName(id)}`, server))}    }
}
`;
}

/** Errors of nginx while it reads a body or asks Prefect. Errors of Prefect pass. */
const OWN_FAILURES = 'error_page 400 /.lictor-refused;\nerror_page 413 = @too_large;\nerror_page 500 502 504 = @upstream_failed;\n';

const HEAD = 'include upstream-headers.conf;\ninclude upstream-credential.conf;\n';

/** The last include of a decided location: headers, credential, and the upstream of the members. */
export function renderToPrefect({ publicUrl }: Config): string {
  return `set $lictor_asked members;
${HEAD}${OWN_FAILURES}proxy_set_header X-Lictor-In-Request-Id $lictor_request_id;
proxy_next_upstream error http_504 non_idempotent;
proxy_pass http://lictor_prefect${forwardedTarget(publicUrl)};
`;
}

/**
 * Forwards to a single server without a member, a fifth faster. nginx distinguishes answers only by their status, so no status may come from
 * both nginx and Prefect. Prefect answers 401 only for the gateway's credential, and only nginx answers 502 and 504. A request whose body nginx
 * could reject is not forwarded here (nginx/canonical.conf).
 */
export function renderStraightToPrefect(config: Config): string {
  const only = onlyMember(config);
  if (only === undefined) return 'include to-prefect.conf;\n';
  return `${HEAD}proxy_intercept_errors on;
error_page 401 = @credential_refused;
error_page 502 504 = @upstream_failed;
proxy_next_upstream off;
${renderProxyPass(config, `lictor_prefect_straight${forwardedTarget(config.publicUrl)}`, only.server)}`;
}

function renderProxyPass({ prefect }: Config, upstream: string, url: string): string {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:') return `proxy_pass http://${upstream};\n`;
  return `proxy_pass https://${upstream};
proxy_ssl_verify on;
proxy_ssl_verify_depth 4;
proxy_ssl_server_name on;
proxy_ssl_name ${quote(hostname)};
proxy_ssl_protocols TLSv1.2 TLSv1.3;
proxy_ssl_trusted_certificate ${quotePath(prefect.caFile ?? SYSTEM_CA_FILE)};
`;
}

/** The bundle of the system's authorities on Debian, Ubuntu, Alpine and Arch. */
export const SYSTEM_CA_FILE = '/etc/ssl/certs/ca-certificates.crt';

/** Host and scheme come from public_url, because Prefect builds absolute links from them. No other X-Forwarded-* is sent. */
export function renderUpstreamHeaders({ publicUrl, prefect }: Config): string {
  const authority = authorityOf(publicUrl);
  return `proxy_set_header Host ${quote(authority)};
proxy_set_header X-Forwarded-Proto ${publicUrl.secure ? 'https' : 'http'};
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header Connection "";
include forward-headers.conf;
${renderRedirects(publicUrl)}proxy_connect_timeout 2s;
proxy_read_timeout ${patience(prefect, OUTER_MS)};
proxy_send_timeout ${patience(prefect, OUTER_MS)};
`;
}

/** A hop that waits for another hop has the longer timeout, so that it gets the answer of that hop. */
const OUTER_MS = 1_000;
/** In addition to the request, the control plane reads objects and writes a record. */
const MEDIATED_MS = 20_000;

function patience({ answerTimeoutMs }: Config['prefect'], more = 0): string {
  return `${answerTimeoutMs + more}ms`;
}

export function renderMediatedTimeout({ prefect }: Config): string {
  return `proxy_read_timeout ${patience(prefect, MEDIATED_MS)};\n`;
}

export function renderForwardHeaders(config: Config): string {
  return config.forwardHeaders.map((name) => `proxy_set_header ${name} $http_${name.toLowerCase().replaceAll('-', '_')};\n`).join('');
}

/** The gateway's credential for Prefect. Prefect never gets a client's credential. */
export function renderCredential({ prefect }: Config): string {
  return renderAuthorization(credentialsOf(prefect).at(0));
}

/** For the members that send the next credential: it replaces the one of the outer location. */
export function renderNextCredential({ prefect }: Config): string {
  return renderAuthorization(credentialsOf(prefect).at(-1));
}

function renderAuthorization(credential: Credential | undefined): string {
  return `proxy_set_header Authorization ${quote(credential?.authorization ?? '')};\n`;
}

function memberSocket(paths: StatePaths, id: string): string {
  return join(paths.memberSockets, `${memberName(id)}.sock`);
}

function lastResort(paths: StatePaths): string {
  return join(paths.memberSockets, 'none.sock');
}

/** `10.0.0.1:4200`, as nginx names a server. */
export function address(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '        ');
}
