// The way to Prefect: one server directly; several through a balancer whose members leave and come back without a reload.
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
  // From 1.29.7 on connections are kept unless that is said, and before it cannot be said: a socket's is handed over once and belongs to it.
  const once = atLeast(version, 1, 29, 7) ? ' keepalive 0;' : '';
  const relayQueue = (name: string, socket: string) =>
    `upstream ${name} { server unix:${socket} max_fails=0; server unix:${paths.holdSocket} max_fails=0 backup;${once} }\n`;
  const own = `# The control plane's sockets, and the supervisor's.
upstream lictor_decision { server unix:${paths.decisionSocket}; keepalive 32; }
upstream lictor_control { server unix:${paths.controlSocket}; keepalive 16; }
# An upgrade that the control plane cannot take waits at the supervisor, and then asks again (nginx/relay.conf).
${relayQueue('lictor_relay', paths.relaySocket)}${relayQueue('lictor_anonymous', paths.anonymousSocket)}
# uvicorn closes idle connections after 5 s: ours end before that.
`;
  const behind = `${renderLastResort(paths)}${listenersOf(config.prefect)
    .map((member) => renderMember(config, paths, member))
    .join('')}`;
  const members = membersOf(config.prefect);
  const only = onlyMember(config);
  const straight = only === undefined ? '' : `upstream lictor_prefect_straight { server ${address(only.server)}; keepalive 64; keepalive_timeout 4s; }\n`;
  // Twice while a credential is replaced: Prefect may change between the one and the other attempt.
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
 * Asked when every member has passed: nothing was forwarded, or Prefect refused the gateway's own credential. A person who opens a page gets one;
 * 418 is nobody's status and leads there (nginx takes no Content-Type within `if`).
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
 * A member answers 504, which stands for "ask the next one, also with a POST", when nothing happened at its Prefect: it is
 * marked down, refuses the connection, or does not take the gateway's credential (a 401 would end stock workers). A failure
 * after forwarding is the answer, 503 without a promise: nobody else gets the request. Prefect's other answers pass, without the word that is a member's own.
 */
function renderMember(config: Config, paths: StatePaths, { id, server, shows }: Member): string {
  // Nobody marks the only one (src/edge/nginx/balancer.ts), and what is left of former ones must not count.
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

/** nginx's own, while it reads a body or asks Prefect; Prefect's are not intercepted. */
const OWN_FAILURES = 'error_page 400 /.lictor-refused;\nerror_page 413 = @too_large;\nerror_page 500 502 504 = @upstream_failed;\n';

const HEAD = 'include upstream-headers.conf;\ninclude upstream-credential.conf;\n';

/** What a decided location includes last: headers, credential, and the way through the members. */
export function renderToPrefect({ publicUrl }: Config): string {
  return `set $lictor_asked members;
${HEAD}${OWN_FAILURES}proxy_set_header X-Lictor-In-Request-Id $lictor_request_id;
proxy_next_upstream error http_504 non_idempotent;
proxy_pass http://lictor_prefect${forwardedTarget(publicUrl)};
`;
}

/**
 * The way to the only server, without a member between: a fifth quicker. nginx tells answers apart by their status alone, so here
 * none may stand that both nginx and Prefect give: 401 is our credential's (Prefect's own is nothing else), 502 and 504 are
 * nginx's. What nginx could refuse while it reads a body does not come this way (nginx/canonical.conf).
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

/** Where Debian, Ubuntu, Alpine and Arch keep the bundle of the system's authorities. */
export const SYSTEM_CA_FILE = '/etc/ssl/certs/ca-certificates.crt';

/** Host and scheme are ours: Prefect builds absolute links from them. The rest of X-Forwarded-* is not sent. */
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
/** The control plane looks things up beside the request, and writes it down. */
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

/** Prefect's own credential; the client's never reaches it. */
export function renderCredential({ prefect }: Config): string {
  return renderAuthorization(credentialsOf(prefect).at(0));
}

/** For the members that show the credential that comes: it replaces what the outer location has set. */
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
