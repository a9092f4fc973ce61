// services -> nginx: the service and route of a target, its server, and the allowed answers.

import type { Config } from '../../config/config.ts';
import type { Service, ServiceLimit } from '../../config/service.ts';
import { forwardedHeaders, goesThroughProxy, hasToken } from '../../config/service-way.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { REASONS } from '../../contract/reasons.ts';
import { SERVICES_PREFIX, serviceOperation } from '../../contract/service-call.ts';
import { routeExpression } from '../../prefect/catalog/service-routes.ts';
import { quote, quoteVerbatim } from './quote.ts';
import { literal } from './render-base-path.ts';
import { renderServiceLimit } from './render-limits.ts';
import { renderAnswerCredentials, renderServiceAnswers } from './render-service-answers.ts';
import { address } from './render-upstream.ts';
import { callsGroup, fileOf, inVariables, renderBalance, renderTls } from './service-server.ts';

export interface ServicesInput {
  readonly config: Config;
  readonly paths: Pick<StatePaths, 'proxySocket'>;
}

/** File name -> content. No file without services, so that other requests do not get slower. */
export function renderServices({ config, paths }: ServicesInput): ReadonlyMap<string, string> {
  const { services } = config;
  if (services.length === 0) return new Map();
  const groups = services.map((service) => (goesThroughProxy(service) ? '' : renderUpstream(service)));
  return new Map([
    [
      'service-maps.conf',
      `${renderProxy(services, paths)}${groups.join('')}${services.map(renderZones).join('')}${renderTargets(config)}${services.map(renderRoutes).join('')}${renderServiceAnswers(config)}${renderWords()}`,
    ],
    ['services.conf', `include service-refusals.conf;\n${services.map((service) => renderLocations(service, config)).join('')}`],
    ...renderAnswerCredentials(services),
    ...services.flatMap((service) => [
      [fileOf(service), renderCall(service, config)] as const,
      [fileOf(service, 'credential'), renderCredential(service)] as const,
    ]),
  ]);
}

/** The service proxy reports the state of its cache in a header. nginx reads that header only for calls that went through the proxy. */
function renderProxy(services: readonly Service[], { proxySocket }: ServicesInput['paths']): string {
  if (!services.some(goesThroughProxy)) return '';
  return `upstream lictor_proxy { server unix:${proxySocket} max_fails=0; keepalive 32; }
map "$lictor_proxied:$upstream_http_lictorcache" $lictor_cache {
    "~^1:(?<lictor_cache_state>hit|stale|miss|expired|bypass)$" $lictor_cache_state;
    default "";
}
`;
}

/** nginx skips a server that rejects or breaks connections for two seconds. */
function renderUpstream(service: Service): string {
  const servers = service.servers.map(
    ({ origin, weight, backup }) => `    server ${address(origin)} weight=${weight} max_fails=1 fail_timeout=2s${backup ? ' backup' : ''};\n`,
  );
  return `upstream ${callsGroup(service)} {\n${renderBalance(service, callsGroup(service))}${servers.join('')}    keepalive 32;\n    keepalive_timeout 4s;\n}\n`;
}

/** The raw target below the service, unchanged, after the path of its servers. Also the location of an allowed call, which depends on its body. */
function renderTargets({ services, publicUrl: { basePath } }: Config): string {
  const below = (name: string, place: number | string): string => `~^${literal(basePath)}${literal(SERVICES_PREFIX)}${name}(?<lictor_below_${place}>/.*)$`;
  const withPath = services.flatMap(({ name, path }, place) =>
    path === '' ? [] : [`    ${quoteVerbatim(below(name, place))} "${path}$lictor_below_${place}";\n`],
  );
  return `map $request_uri $lictor_service_target {
${withPath.join('')}    ${quoteVerbatim(below('[a-z0-9-]+', 'any'))} $lictor_below_any;
    default "/.lictor-outside";
}
# A call without a body can be repeated at another server. A call with one is streamed.
map "$request_method:$http_content_length$http_transfer_encoding" $lictor_service_way {
    "~^(?:GET|HEAD|DELETE):0?$" "call";
    default "stream";
}
map $lictor_path_out $lictor_service_at {
    egress "service_\${lictor_service}_$lictor_service_way";
    uncredentialed "service_uncredentialed";
    default "unavailable";
}
`;
}

/** The operation of a call, from the first route that fits. Without a route, Lictor authenticates the client and denies the call. */
function renderRoutes(service: Service): string {
  const { name, routes } = service;
  const prefix = literal(`${SERVICES_PREFIX}${name}`);
  const lines = routes.map(({ methods, pattern }) => {
    const operation = `"${serviceOperation({ service: name, method: '$request_method', route: pattern })}"`;
    return `    ${quoteVerbatim(`~^(?:${methods.join('|')}) ${prefix}${routeExpression(pattern)}$`)} ${operation};\n`;
  });
  return `map "$request_method $lictor_path" $lictor_route_${inVariables(service)} {\n${lines.join('')}    default "${serviceOperation({ service: name, method: '$request_method', route: '' })}";\n}\n`;
}

function renderLocations(service: Service, config: Config): string {
  const { basePath } = config.publicUrl;
  const { name } = service;
  const lines = `include ${fileOf(service)};\ninclude service-caller.conf;\ninclude service-further.conf;\n${renderPace(service)}`;
  const call = (way: 'call' | 'stream'): string => `
location @service_${name}_${way} {
${`${lines}${renderSending(service, way)}`.replaceAll(/^(?=.)/gm, '    ')}}
`;
  // From the decision, so that a new credential needs no reload.
  const credential = hasToken(service) ? '    auth_request_set $lictor_service_credential $upstream_http_x_lictor_credential;\n' : '';
  const generation = service.cache.length > 0 ? '    auth_request_set $lictor_cache_generation $upstream_http_x_lictor_cache_generation;\n' : '';
  return `
location ^~ ${quoteVerbatim(`${basePath}${SERVICES_PREFIX}${name}/`)} {
    set $lictor_service ${name};
    set $lictor_operation $lictor_route_${inVariables(service)};
${renderUpgrade(service.sockets ? `@service_${name}_socket` : '@service_upgrade')}${credential}${generation}    include service.conf;
    try_files /.never @$lictor_service_at;
}
${call('call')}${call('stream')}${renderSocket(service, config)}`;
}

/**
 * nginx asks another server only if no server has processed the call, or if a repetition does no harm (RFC 9110, 9.2.2). The service proxy has
 * the same rule. nginx reads a body to sign completely, so that a slow client uses no memory of the proxy.
 */
function renderSending(service: Service, way: 'call' | 'stream'): string {
  const isSigned = service.injected !== null && 'sigv4' in service.injected;
  return `proxy_request_buffering ${way === 'call' || isSigned ? 'on' : 'off'};\nproxy_next_upstream ${goesThroughProxy(service) ? 'off' : 'error'};\n`;
}

/**
 * If a client asked for an upgrade, nginx turns a 101 of the service into a tunnel, even if the service got no `Upgrade`. No decision would cover its
 * traffic. So an upgrade is rejected, or the relay decides it and opens the socket of the service. The relay's location has separate error pages.
 */
function renderUpgrade(to: string): string {
  return `    error_page 419 = ${to};\n    recursive_error_pages on;\n    if ($http_upgrade != "") { return 419; }\n`;
}

/** A service that lictor.yaml does not name. Lictor decides it too, so that the record names the principal, and forwards nothing. */
export function renderUnknownService({ services, publicUrl: { basePath } }: Pick<Config, 'services' | 'publicUrl'>): string {
  const lines = `    set $lictor_operation $lictor_unknown_call;
${services.length === 0 ? '' : renderUpgrade('@service_upgrade')}    include service.conf;
    try_files /.never @unavailable;
`;
  return `
    location ^~ ${quoteVerbatim(`${basePath}${SERVICES_PREFIX}`)} {
${lines.replaceAll(/^(?=.)/gm, '    ')}    }
`;
}

/** An `Upgrade` leads here before a decision: the relay authenticates. */
function renderSocket(service: Service, config: Config): string {
  if (!service.sockets) return '';
  const name = `@service_${service.name}_socket`;
  const location = (own: string, again: string) => `
location ${own} {
    set $lictor_operation $lictor_route_${inVariables(service)};
    set $lictor_relay_again ${again};
${renderForwarded(service, config).replaceAll(/^(?=.)/gm, '    ')}    include service-socket.conf;
}
`;
  return `${location(name, `${name}_again`)}${location(`${name}_again`, '@unavailable')}`;
}

function renderForwarded(service: Service, config: Pick<Config, 'forwardHeaders'>): string {
  return forwardedHeaders(service, config)
    .map((header) => `proxy_set_header ${header} $http_${header.replaceAll('-', '_')};\n`)
    .join('');
}

function renderCall(service: Service, config: Config): string {
  const { servers, timeoutSeconds } = service;
  const { host } = new URL(servers[0]?.origin ?? '');
  return `include service-call.conf;
${renderLimits(service)}${renderServiceLimit(config.limits, service)}proxy_set_header Host ${quote(host)};
proxy_set_header X-Forwarded-Proto ${config.publicUrl.secure ? 'https' : 'http'};
${renderForwarded(service, config)}include ${fileOf(service, 'credential')};
proxy_send_timeout ${timeoutSeconds}s;
${goesThroughProxy(service) ? renderToProxy(service) : renderToServers(service)}`;
}

/** The service proxy must time out before nginx: after all attempts, and the wait for the answer to another call. */
const PROXY_MARGIN_SECONDS = 60;

function renderToProxy({ name, timeoutSeconds, cache }: Service): string {
  return `include service-proxied.conf;
proxy_set_header X-Lictor-Proxy-Service ${name};
${cache.length === 0 ? '' : 'proxy_set_header X-Lictor-Cache-Generation $lictor_cache_generation;\n'}proxy_read_timeout ${2 * timeoutSeconds + PROXY_MARGIN_SECONDS}s;
proxy_pass http://lictor_proxy$lictor_service_target;
`;
}

function renderToServers(service: Service): string {
  const { origin, protocol } = new URL(service.servers[0]?.origin ?? '');
  return `include no-steering.conf;
proxy_read_timeout ${service.timeoutSeconds}s;
${protocol === 'https:' ? renderTls(service, origin) : ''}proxy_pass ${protocol}//${callsGroup(service)}$lictor_service_target;
`;
}

/** The calls that a limit counts together. */
function renderZones(service: Service): string {
  const { limit } = service;
  if (limit === null) return '';
  const [zone, key] = [zoneOf(service, limit), limit.per === 'service' ? '$lictor_service' : '$lictor_limit'];
  const rate = limit.rate === null ? '' : `limit_req_zone ${key} zone=${zone}:2m rate=${limit.rate.perSecond}r/s;\n`;
  return `${rate}${limit.concurrency === null ? '' : `limit_conn_zone ${key} zone=${connZoneOf(service, limit)}:2m;\n`}`;
}

/** A zone cannot change its key in a reload, so another key needs another zone. */
function zoneOf(service: Service, { per }: ServiceLimit): string {
  return `lictor_limit_${per}_${inVariables(service)}`;
}

function connZoneOf(service: Service, { per }: ServiceLimit): string {
  return `lictor_conn_${per}_${inVariables(service)}`;
}

/** nginx forwards answers without a delay, for streams and server-sent events. A bandwidth limit needs buffers; they stay in memory. */
function renderPace({ limit }: Pick<Service, 'limit'>): string {
  return limit?.bandwidth == null ? 'proxy_buffering off;\n' : `proxy_buffering on;\nlimit_rate ${limit.bandwidth};\n`;
}

/** In addition to the limit of each principal. nginx first delays a call, and only then counts it for the concurrency. */
function renderLimits(service: Service): string {
  const { limit } = service;
  if (limit === null) return '';
  const zone = zoneOf(service, limit);
  const conn = limit.concurrency === null ? '' : `limit_conn ${connZoneOf(service, limit)} ${limit.concurrency};\n`;
  if (limit.rate === null) return conn;
  const { atOnce, waiting } = limit.rate;
  const turn = waiting === 0 ? 'nodelay' : `delay=${atOnce}`;
  return `limit_req zone=${zone} burst=${atOnce + waiting}${atOnce === 0 && waiting > 0 ? '' : ` ${turn}`};\n${conn}`;
}

/** The gateway's credential for the service; never a client's. The service proxy adds those that depend on the call (src/proxies/egress/proxy). */
function renderCredential({ injected }: Service): string {
  if (injected === null) return '';
  if ('header' in injected) return `proxy_set_header ${injected.header} ${quote(injected.value)};\n`;
  return 'oauth' in injected ? 'proxy_set_header Authorization $lictor_service_credential;\n' : '';
}

function renderWords(): string {
  const words = (name: string, code: 'service-unavailable' | 'service-timeout' | 'service-credential-unavailable' | 'service-upgrade'): string =>
    (['detail', 'hint'] as const).map((what) => `map "" $lictor_service_${name}_${what} { default ${quote(REASONS[code][what])}; }\n`).join('');
  return `${words('failed', 'service-unavailable')}${words('timeout', 'service-timeout')}${words('uncredentialed', 'service-credential-unavailable')}${words('no_upgrade', 'service-upgrade')}`;
}
