// Checks the rendered configuration for ways to bypass the decision. Runs in the tests and in `lictor check`.
import { type Directive, parseConf, walkConf } from './conf-tree.ts';
import { lintOpenFiles } from './lint-open-files.ts';
import type { EdgeFiles } from './render.ts';

const STEERING_HEADERS = ['X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Buffering', 'X-Accel-Charset'];

/** The relay has two sockets; the map in nginx/canonical.conf chooses one of them. */
const RELAY = 'http://$lictor_relay_queue';

const SERVICE_PROXY = 'http://lictor_proxy$lictor_service_target';

/** Parts that authenticate every request themselves. */
const SELF_AUTHENTICATING = ['http://lictor_control', RELAY];
/** The gateway's health is for everyone. */
const HEALTH = /^http:\/\/lictor_control[^$?]*\/\.lictor\/health$/;

/** The control plane's sockets: they reject a request without the secret of the edge. A service or Prefect must never get it. */
const OWN_PLACES = /^http:\/\/(?:lictor_(?:decision|control|relay|anonymous|proxy)(?![a-z_])|\$lictor_relay_queue$)/;

/** Each would serve an outdated decision, wait for one, or run code. */
const FORBIDDEN_DIRECTIVES = ['proxy_cache_lock', 'satisfy', 'proxy_cache_use_stale', 'proxy_store', 'perl', 'js_content'];

/** One sentence for each problem. */
export function lintEdge(files: EdgeFiles): readonly string[] {
  const tree = parseConf(files.get('nginx.conf') ?? '', files);
  const problems: string[] = [];
  for (const { directive, parents } of walkConf(tree)) {
    if (FORBIDDEN_DIRECTIVES.includes(directive.name)) problems.push(`${directive.name} is used, and must not be`);
    problems.push(...lintOpenFiles(directive, parents));
    if (directive.name === 'return' || directive.name === 'rewrite') problems.push(...lintEarlyAnswer(directive, parents));
    if (directive.name !== 'map' && !parents.some(({ name }) => name === 'map') && directive.args.some((arg) => /\$request_id\b/.test(arg)))
      problems.push(`${directive.name} names a request by $request_id instead of $lictor_request_id`);
    if (directive.name === 'location') problems.push(...lintLocation(directive, parents), ...lintServiceDoor(directive));
  }
  return problems;
}

function lintLocation(location: Directive, parents: readonly Directive[]): readonly string[] {
  const block = location.block ?? [];
  const inside = isInside(parents);
  const pass = find(block, 'proxy_pass');
  if (pass === undefined) return [];
  const name = location.args.join(' ');
  const target = pass.args[0] ?? '';
  return [
    ...(inside || isDecided(location, target) ? [] : [`location ${name} proxies to ${target} without a decision`]),
    ...(ignoresSteering(block, target) ? [] : [`location ${name} lets an upstream steer nginx by X-Accel-* headers`]),
    ...lintSecret(name, block, target),
    ...(isRewritten(target) ? [`location ${name} proxies by a rewritten target`] : []),
    ...(inside || find(block, 'proxy_pass_request_headers')?.args[0] === 'off' ? [] : [`location ${name} forwards the client's headers as they are`]),
    ...(forwardsUpgrade(block) && target !== RELAY ? [`location ${name} forwards Upgrade, and is not the relay's`] : []),
  ];
}

/** Only two rewrites are allowed: without the path of public_url (render-base-path.ts), or of the service (render-services.ts). */
function isRewritten(target: string): boolean {
  if (target === RELAY) return false;
  return target
    .replace(/^(https?:\/\/lictor_prefect(?:_straight)?)\$lictor_forwarded_target$/, '$1')
    .replace(/^(https?:\/\/lictor_(?:service_[a-z0-9_]+|proxy))\$lictor_service_target$/, '$1')
    .includes('$');
}

/** The location has an auth_request, only an internal redirect from a decided location reaches it, or its upstream authenticates. */
function isDecided(location: Directive, target: string): boolean {
  const block = location.block ?? [];
  const asked = find(block, 'auth_request');
  if (asked !== undefined) return asked.args[0] !== 'off';
  return location.args[0]?.startsWith('@') === true || find(block, 'internal') !== undefined || SELF_AUTHENTICATING.includes(target) || HEALTH.test(target);
}

/** Only nginx connects to a server that has only unix sockets: the members of the balancer, behind a decided location. */
function isInside(parents: readonly Directive[]): boolean {
  const server = parents.findLast((parent) => parent.name === 'server');
  const listens = (server?.block ?? []).filter((directive) => directive.name === 'listen');
  return listens.length > 0 && listens.every((listen) => listen.args[0]?.startsWith('unix:') === true);
}

/** The service proxy names the rejection by such a header, and removes them from the answers of services. */
function ignoresSteering(block: readonly Directive[], target: string): boolean {
  const ignored = find(block, 'proxy_ignore_headers')?.args ?? [];
  const mayRefuse = target === SERVICE_PROXY;
  return STEERING_HEADERS.every((header) => ignored.includes(header) || (mayRefuse && header === 'X-Accel-Redirect'));
}

function lintSecret(name: string, block: readonly Directive[], target: string): readonly string[] {
  const shows = block.some((directive) => directive.name === 'proxy_set_header' && directive.args[0] === 'X-Lictor-Edge');
  if (shows === OWN_PLACES.test(target)) return [];
  return [`location ${name} proxies to ${target} ${shows ? 'with' : 'without'} the secret of the edge`];
}

function forwardsUpgrade(block: readonly Directive[]): boolean {
  return block.some((directive) => directive.name === 'proxy_set_header' && directive.args[0]?.toLowerCase() === 'upgrade' && directive.args[1] !== '');
}

/** The rewrite phase runs before the decision. So a decided location and its server may only reject there. */
function lintEarlyAnswer(directive: Directive, parents: readonly Directive[]): readonly string[] {
  const location = parents.findLast((parent) => parent.name === 'location');
  const code = Number(directive.args[0]);
  const refuses = directive.name === 'return' && code >= 400;
  if (location === undefined) return refuses || isPreflight(parents, code) ? [] : [`a ${directive.name} at server level answers before the decision`];
  const proxies = (location.block ?? []).some((inner) => inner.name === 'proxy_pass' || inner.name === 'auth_request' || inner.name === 'try_files');
  return proxies && !isUpgrade(location, parents, code) ? [`location ${location.args.join(' ')} has a ${directive.name} that answers before the decision`] : [];
}

/** nginx answers OPTIONS itself with an empty 204, and forwards nothing. */
function isPreflight(parents: readonly Directive[], code: number): boolean {
  const condition = parents.at(-1);
  return code === 204 && condition?.name === 'if' && condition.args.join(' ') === '($request_method = OPTIONS)';
}

/** An `Upgrade` to a service: nginx only chooses the location that rejects it, or the relay, which decides. */
function isUpgrade(location: Directive, parents: readonly Directive[], code: number): boolean {
  const pages = (location.block ?? []).filter(({ name, args }) => name === 'error_page' && args.includes('419'));
  const leadsWell = pages.length === 1 && /^419 = @service_(?:upgrade|[a-z0-9-]+_socket)$/.test(pages[0]?.args.join(' ') ?? '');
  return code === 419 && leadsWell && asksForUpgrade(parents.at(-1));
}

function asksForUpgrade(condition: Directive | undefined): boolean {
  return condition?.name === 'if' && condition.args.join(' ') === '($http_upgrade !=  )';
}

/** A 101 of a service would open a tunnel for a client that sent `Upgrade`. */
function lintServiceDoor(location: Directive): readonly string[] {
  const block = location.block ?? [];
  const leadsToService = find(block, 'try_files')?.args.includes('@$lictor_service_at') === true;
  const isClosed = block.some((inner) => asksForUpgrade(inner) && inner.block?.[0]?.name === 'return');
  return leadsToService && !isClosed ? [`location ${location.args.join(' ')} lets an Upgrade go to a service`] : [];
}

function find(block: readonly Directive[], name: string): Directive | undefined {
  return block.find((directive) => directive.name === name);
}
