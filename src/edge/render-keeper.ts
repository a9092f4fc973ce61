// services[].cache -> nginx: an answer that may be kept is asked for at the keeper (src/egress/keeper), which asks for it at a server of nginx's own here.

import { keptSocket } from '../config/kept-dir.ts';
import type { Service } from '../config/service.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { quote } from './quote.ts';
import { HANDED_ON, hasMembers, MEMBER_ANSWER, MEMBER_MARGIN_SECONDS } from './render-service-members.ts';
import { attemptsOf } from './render-service-retries.ts';
import { indent } from './render-upstream.ts';
import { callsGroup, keepsAnswers, renderTls } from './service-server.ts';

/** The keeper holds an answer for five seconds; who was asked says first that he gets none. */
const KEEPER_MARGIN_SECONDS = 10;

/** In place of the way to the service's servers. */
export function renderToKeeper(service: Service): string {
  return `proxy_read_timeout ${answerSeconds(service) + KEEPER_MARGIN_SECONDS}s;
proxy_send_timeout ${service.timeoutSeconds}s;
include edge-secret.conf;
proxy_set_header X-Lictor-Keeper-Service ${service.name};
proxy_set_header X-Lictor-In-Request-Id $lictor_request_id;
proxy_set_header ${CHOSEN_BY} $lictor_limit;
${isRepeatable(service) ? 'proxy_set_header X-Lictor-Repeatable 1;\n' : ''}proxy_request_buffering on;
proxy_pass http://lictor_keeper$lictor_service_target;
`;
}

/**
 * What the keeper cannot bring is asked for without it, and not kept: it has no room, or is away while the control plane starts; or what came was no
 * answer. Of a service with retries that counts as one, since it may have broken off behind a member.
 */
export function renderWithoutKeeper(service: Service): string {
  return `proxy_next_upstream off;
error_page 502 = @service_${service.name}_${attemptsOf(service) > 1 ? 'again_2' : 'call'};
recursive_error_pages on;
`;
}

/** Whose the call is: which server it goes to does not change with the keeper in between, which counts by it. */
const CHOSEN_BY = 'X-Lictor-Keeper-Limit';

/** How long until the service's answer begins, or somebody says that it does not. */
function answerSeconds(service: Service): number {
  return service.timeoutSeconds + (hasMembers(service) ? MEMBER_MARGIN_SECONDS : 0);
}

/** A member closes the connection of a call that broke off and may be made again (render-service-members.ts). */
function isRepeatable(service: Service): boolean {
  return hasMembers(service) && (service.retries === null || attemptsOf(service) > 1);
}

/** The keeper, and the ways back from it; none where nothing is kept. */
export function renderKeeper(services: readonly Service[], paths: StatePaths): string {
  const keeping = services.filter(keepsAnswers);
  if (keeping.length === 0) return '';
  return `upstream lictor_keeper { server unix:${paths.keeperSocket} max_fails=0; }
${keeping.map((service) => renderWayBack(service, paths)).join('')}`;
}

/** The keeper reads more kindly than nginx: what is no answer to nginx must be none to it either. Its own failures have the gateway's words; a connection that a member closed, it closes too, so that the call is made again where that is counted. */
function renderWayBack(service: Service, paths: StatePaths): string {
  const counted = service.retries !== null;
  return `server {
    listen unix:${keptSocket(paths, service.name)};
    access_log off;
${service.balance === 'hash_by_run' ? `    set $lictor_limit $http_${CHOSEN_BY.toLowerCase().replaceAll('-', '_')};\n` : ''}    location @failed {
        set $lictor_member_code $lictor_member_failed;
${MEMBER_ANSWER}    }
${counted ? '    location @closed { return 444; }\n' : ''}    location / {
${HANDED_ON}        proxy_set_header ${CHOSEN_BY} "";
        proxy_connect_timeout 2s;
        proxy_read_timeout ${answerSeconds(service)}s;
        proxy_send_timeout ${service.timeoutSeconds}s;
        include raw-answer.conf;
        proxy_next_upstream ${hasMembers(service) ? `${counted ? '' : 'error '}http_504 non_idempotent` : 'error'};
        error_page ${counted ? '504' : '502 504'} = @failed;
${counted ? '        error_page 502 = @closed;\n' : ''}${indent(hasMembers(service) ? `proxy_pass http://${callsGroup(service)};\n` : renderToServers(service))}    }
}
`;
}

function renderToServers(service: Service): string {
  const { host, protocol, origin } = new URL(service.servers[0]?.origin ?? '');
  return `proxy_set_header Host ${quote(host)};
proxy_set_header X-Lictor-In-Request-Id "";
proxy_hide_header Lictorcode;
${protocol === 'https:' ? renderTls(service, origin) : ''}proxy_pass ${protocol}//${callsGroup(service)};
`;
}
