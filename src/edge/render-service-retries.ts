// services[].retries -> nginx: a call that broke off is made again in a location of its own, so often and no oftener, and where the budget has room.
import type { Service } from '../config/service.ts';
import { hasMembers, renderThroughMembers, renderToMembers } from './render-service-members.ts';

/** How a call goes to the next server, and what becomes of one that broke off. */
export function renderRepeats(service: Service, way: 'call' | 'stream'): string {
  if (way === 'call' && service.retries !== null) return renderAttempt(service, 1);
  return `${hasMembers(service) ? renderThroughMembers(way) : renderStraight(way)}error_page 502 = @service_failed;\n`;
}

/** Another server only where nothing was done, or a repetition does no harm (RFC 9110, 9.2.2). */
function renderStraight(way: 'call' | 'stream'): string {
  return `proxy_request_buffering ${way === 'call' ? 'on' : 'off'};\nproxy_next_upstream error;\n`;
}

/** Members that have done nothing are passed over and count for nothing. The last attempt's member answers by itself. */
function renderAttempt(service: Service, attempt: number): string {
  const again = attempt < attemptsOf(service);
  return `${renderToMembers(again)}proxy_next_upstream http_504;
error_page 502 = ${again ? `@service_${service.name}_again_${attempt + 1}` : '@service_failed'};
${again ? 'recursive_error_pages on;\n' : ''}`;
}

/** `lines` is what every call of the service has. */
export function renderAgain(service: Service, lines: string): string {
  return Array.from({ length: attemptsOf(service) - 1 }, (_, place) => renderOnceMore(service, place + 2, lines)).join('');
}

function renderOnceMore(service: Service, attempt: number, lines: string): string {
  const asks = 'auth_request /.lictor-repeat;\nerror_page 401 403 500 502 503 504 = @service_failed;\nrecursive_error_pages on;\n';
  return `
location @service_${service.name}_again_${attempt} {
${indented(`${service.retries?.budget == null ? '' : asks}try_files /.never @service_${service.name}_attempt_${attempt};\n`)}}

location @service_${service.name}_attempt_${attempt} {
${indented(`${lines}${renderAttempt(service, attempt)}`)}}
`;
}

/** Asks the control plane, which holds the budgets (src/egress/repeats.ts); whatever goes wrong there is a no. */
export function renderBudget(services: readonly Service[]): string {
  if (services.every(({ retries }) => retries?.budget == null)) return '';
  return `location = /.lictor-repeat {
    internal;
    error_page 404 = @not_found_closing;
    access_log off;
    proxy_pass http://lictor_courier/;
    proxy_http_version 1.1;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Host "courier";
    proxy_set_header Connection "";
    proxy_set_header Content-Length "";
    include edge-secret.conf;
    proxy_set_header X-Lictor-Courier-Repeat $lictor_service;
    proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
    proxy_connect_timeout 1s;
    proxy_read_timeout 2s;
    proxy_next_upstream off;
}
`;
}

/** How often a call without a body is made at most. */
export function attemptsOf({ retries }: Service): number {
  return retries?.attempts ?? 1;
}

function indented(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, '    ');
}
