// A service whose servers are looked after: each is a member behind a balancer, as Prefect's servers are, so that one leaves without a reload.
import { join } from 'node:path';
import type { Service, ServiceServer } from '../config/service.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { REASONS } from '../contract/reasons.ts';
import { goesByCourier } from '../egress/courier/showing.ts';
import { downFile, memberName } from './balancer.ts';
import { quote, quotePath } from './quote.ts';
import { address, indent } from './render-upstream.ts';
import { backupsGroup, callsGroup, keepsAnswers, renderBalance, renderTls, serverGroup } from './service-server.ts';

/** With one server there is nothing to choose; but a member says whether something was done, which counts for retries, and the courier says it as one. */
export function hasMembers(service: Service): boolean {
  return isLookedAfter(service) || goesByCourier(service) || service.retries !== null;
}

/** What fails there is said by a server of nginx's own, in a header that the service itself has no part in. */
function isSpokenFor(service: Service): boolean {
  return hasMembers(service) || keepsAnswers(service);
}

export function isLookedAfter({ health, servers }: Service): boolean {
  return health !== null && servers.length > 1;
}

/** Also the name under which it is marked (src/edge/watch-services.ts). */
export function memberId({ name }: Service, { origin }: ServiceServer): string {
  return `${name} ${origin}`;
}

/** The member's own word comes first. */
export const MEMBER_MARGIN_SECONDS = 5;

const COURIER_MARGIN_SECONDS = 2;

const REPEATABLE = 'X-Lictor-Repeatable';

/**
 * 504 is a member's word for "nothing was done, ask the next one"; a closed connection means the same of a call that may be repeated.
 * A body is read whole first: what is on its way could go to one server only.
 */
export function renderThroughMembers(way: 'call' | 'stream'): string {
  return `${renderToMembers(way === 'call')}proxy_next_upstream error http_504${way === 'call' ? '' : ' non_idempotent'};
`;
}

/** `again`: a member closes the connection of a call that broke off, instead of answering it. */
export function renderToMembers(again: boolean): string {
  return `proxy_set_header ${REPEATABLE} ${again ? '1' : '""'};
proxy_set_header X-Lictor-In-Request-Id $lictor_request_id;
proxy_request_buffering on;
`;
}

/** Backups are behind one socket, which is asked when the others have passed; the gateway's own word comes after them. */
export function renderBalanced(service: Service, paths: StatePaths): string {
  // One that breaks connections off is left out for a while, so that what is made again goes to another, where there is one; health says it better.
  const fails = service.retries === null || service.health !== null || service.servers.length === 1 ? 'max_fails=0' : 'max_fails=1 fail_timeout=2s';
  const members = (backup: boolean): string =>
    service.servers
      .filter((server) => server.backup === backup)
      .map((server) => `    server unix:${socketOf(service, server, paths)} weight=${server.weight} ${fails};\n`)
      .join('');
  const servers = (goesByCourier(service) ? [] : service.servers).map(
    ({ origin }, place) => `upstream ${serverGroup(service, place)} { server ${address(origin)} max_fails=0; keepalive 32; keepalive_timeout 4s; }\n`,
  );
  const last = `    server unix:${lastResort(paths)} max_fails=0 backup;\n`;
  const group = (of: string, inside: string): string => `upstream ${of} {\n${renderBalance(service, of)}${inside}    keepalive 32;\n}\n`;
  const balanced = hasBackups(service)
    ? `${group(callsGroup(service), `${members(false)}    server unix:${backupsOf(service, paths)} max_fails=0 backup;\n`)}${group(backupsGroup(service), `${members(true)}${last}`)}`
    : group(callsGroup(service), `${members(false)}${last}`);
  return `${balanced}${servers.join('')}`;
}

function hasBackups({ servers }: Service): boolean {
  return servers.some(({ backup }) => backup);
}

/** The servers on unix sockets, and the one that is asked when all have passed. */
export function renderMembers(services: readonly Service[], paths: StatePaths): string {
  if (!services.some(isSpokenFor)) return '';
  const words = (['detail', 'hint'] as const).map((what) => {
    const text = (code: 'service-unavailable' | 'service-timeout'): string => quote(REASONS[code][what]);
    return `map $lictor_member_code $lictor_member_${what} { service-timeout ${text('service-timeout')}; default ${text('service-unavailable')}; }\n`;
  });
  const failed = 'map $upstream_status $lictor_member_failed { "~504$" service-timeout; default service-unavailable; }\n';
  const balanced = services.filter(hasMembers);
  if (balanced.length === 0) return `${words.join('')}${failed}`;
  const courier = balanced.some((service) => goesByCourier(service) || service.retries?.budget != null)
    ? `upstream lictor_courier { server unix:${paths.courierSocket}; keepalive 32; }\n`
    : '';
  return `${words.join('')}${failed}${courier}server {
    listen unix:${lastResort(paths)};
    access_log off;
    location / {
        set $lictor_member_code service-unavailable;
${MEMBER_ANSWER}    }
}
${balanced.flatMap((service) => service.servers.map((server, place) => renderMember({ service, server, place, paths }))).join('')}${balanced
  .filter(hasBackups)
  .map((service) => renderBackups(service, paths))
  .join('')}`;
}

interface Member {
  readonly service: Service;
  readonly server: ServiceServer;
  readonly place: number;
  readonly paths: StatePaths;
}

/** A server's own 502 and 504 cannot be told from nginx's: they become a 503 of the gateway's. */
function renderMember(member: Member): string {
  const { service, server, paths } = member;
  const byCourier = goesByCourier(service);
  // The courier's own word comes first.
  const seconds = service.timeoutSeconds + (byCourier ? COURIER_MARGIN_SECONDS : 0);
  return `server {
    listen unix:${socketOf(service, server, paths)};
    access_log off;
    if (-f ${quotePath(downFile(paths, memberId(service, server)))}) { return 504; }
    location @failed {
        if ($upstream_connect_time !~ "[0-9]") { return 504; }
${byCourier ? '        if ($upstream_http_lictorunsent) { return 504; }\n' : ''}        set $lictor_member_code $lictor_member_failed;
        set $lictor_member_again "$lictor_member_code $http_${REPEATABLE.toLowerCase().replaceAll('-', '_')}";
        if ($lictor_member_again = "service-unavailable 1") { return 444; }
${MEMBER_ANSWER}    }
    location / {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header ${REPEATABLE} "";
        proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_buffer_size 32k;
        proxy_buffers 4 32k;
        proxy_busy_buffers_size 32k;
        proxy_connect_timeout 1s;
        proxy_read_timeout ${seconds}s;
        proxy_send_timeout ${seconds}s;
        proxy_next_upstream off;
        proxy_intercept_errors on;
        error_page 502 504 = @failed;
${indent(byCourier ? renderToCourier(member) : renderToServer(member))}    }
}
`;
}

function renderToServer({ service, server, place }: Member): string {
  const { host, protocol } = new URL(server.origin);
  return `proxy_set_header Host ${quote(host)};
proxy_set_header X-Lictor-In-Request-Id "";
proxy_hide_header Lictorcode;
${protocol === 'https:' ? renderTls(service, server.origin) : ''}proxy_pass ${protocol}//${serverGroup(service, place)};
`;
}

/** It strips what a service says in the gateway's name, and refuses in it. */
function renderToCourier({ service, server }: Member): string {
  return `include edge-secret.conf;
proxy_set_header Host courier;
proxy_set_header X-Lictor-Courier-Service ${service.name};
proxy_set_header X-Lictor-Courier-Server ${quote(server.origin)};
proxy_pass http://lictor_courier;
`;
}

/** Hands on what it gets, the members' words among it: with retries, a closed connection too, which then is made again where that is counted. What it says itself comes before whoever asks it stops waiting. */
function renderBackups(service: Service, paths: StatePaths): string {
  return `server {
    listen unix:${backupsOf(service, paths)};
    access_log off;
    location / {
${HANDED_ON}        proxy_read_timeout ${service.timeoutSeconds + MEMBER_MARGIN_SECONDS - 2}s;
        proxy_send_timeout ${service.timeoutSeconds}s;
        proxy_next_upstream ${service.retries === null ? 'error ' : ''}http_504 non_idempotent;
        proxy_pass http://${backupsGroup(service)};
${service.retries === null ? '' : '        error_page 502 = @closed;\n'}    }
${service.retries === null ? '' : '    location @closed { return 444; }\n'}}
`;
}

/** A server in between: calls go on whole, answers as they come. */
export const HANDED_ON = `        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
        proxy_buffering off;
        proxy_request_buffering on;
        proxy_buffer_size 32k;
        proxy_buffers 4 32k;
        proxy_busy_buffers_size 32k;
`;

/** Its code is the access line's too (render-maps.ts). */
export const MEMBER_ANSWER = `        default_type application/json;
        add_header Lictorcode $lictor_member_code always;
        add_header Retry-After 2 always;
        return 503 '{"detail":"$lictor_member_detail","code":"$lictor_member_code","hint":"$lictor_member_hint","request_id":"$http_x_lictor_in_request_id"}';
`;

function socketOf(service: Service, server: ServiceServer, paths: StatePaths): string {
  return join(paths.memberSockets, `service-${memberName(memberId(service, server))}.sock`);
}

function backupsOf({ name }: Service, paths: StatePaths): string {
  return join(paths.memberSockets, `service-${memberName(`${name} backups`)}.sock`);
}

function lastResort(paths: StatePaths): string {
  return join(paths.memberSockets, 'service-none.sock');
}
