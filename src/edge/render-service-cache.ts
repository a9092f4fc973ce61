// services[].cache -> nginx: which calls are answered from what is kept, under which key, and for how long.
import { createHash } from 'node:crypto';
import { routeExpression } from '../catalog/service-routes.ts';
import type { Config } from '../config/config.ts';
import { keptDir, mostKeptMiB } from '../config/kept-dir.ts';
import { bySpecificity } from '../config/sections/service-routes.ts';
import type { KeptAnswers, Service } from '../config/service.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { SERVICES_PREFIX } from '../contract/service-call.ts';
import { quotePath, quoteVerbatim } from './quote.ts';
import { literal } from './render-base-path.ts';
import { hidesCredentials, KEPT_NOT_TOLD } from './render-service-answers.ts';
import { fileOf, forwarded, inVariables, keepsAnswers, ruleVariable } from './service-server.ts';

interface KeptInput {
  readonly config: Pick<Config, 'services'>;
  readonly paths: Pick<StatePaths, 'root'>;
  readonly tempDir: string;
}

/** For what belongs to all servers; none where nothing is kept. */
export function renderKept({ config, paths, tempDir }: KeptInput): string {
  const keeping = config.services.filter(keepsAnswers);
  if (keeping.length === 0) return '';
  const most = mostKeptMiB(paths, tempDir);
  const places = keeping.map((service) => {
    const zone = `keys_zone=${zoneOf(service)}:2m max_size=${most}m inactive=${longestSeconds(service)}s`;
    return `proxy_cache_path ${quotePath(keptDir(tempDir, service.name))} levels=1 ${zone} use_temp_path=off;\n`;
  });
  return `include kept-answers.conf;\n${places.join('')}${keeping.map(renderRules).join('')}`;
}

/** The rule of a path: of the most specific pattern. */
function renderRules(service: Service): string {
  const rules = service.cache.flatMap(({ patterns }, rule) => patterns.map((pattern) => ({ pattern, rule })));
  const prefix = literal(`${SERVICES_PREFIX}${service.name}`);
  const lines = rules
    .toSorted((a, b) => bySpecificity(a.pattern, b.pattern))
    .map(({ pattern, rule }) => `    ${quoteVerbatim(`~^(?:GET|HEAD) ${prefix}${routeExpression(pattern)}$`)} kept_${rule};\n`);
  return `map "$request_method $lictor_path" ${ruleVariable(service)} {\n${lines.join('')}    default "";\n}\n`;
}

/** `more` is how this service is asked, and how fast it answers. */
export function renderKeptLocations(service: Service, config: Pick<Config, 'forwardHeaders'>, more: string): string {
  return service.cache
    .map((rule, index) => {
      const lines = `${rule.shared ? '' : 'include service-caller.conf;\n'}${more}${renderKeeping(service, rule, config)}`;
      return `
location @service_${service.name}_kept_${index} {
    include ${fileOf(service, 'kept')};
${lines.replaceAll(/^(?=.)/gm, '    ')}}
`;
    })
    .join('');
}

/** Of a kind that says nothing of one moment, where the service does not say itself. */
const KEPT_STATUSES = '200 301 308';
const WAIT_SECONDS = 5;

function renderKeeping(service: Service, rule: KeptAnswers, config: Pick<Config, 'forwardHeaders'>): string {
  const { ttlSeconds, staleSeconds, mostBytes } = rule;
  const not = [
    '$lictor_kept_body',
    '$lictor_kept_unmarked',
    ...(ttlSeconds === null ? ['$lictor_kept_not_status'] : []),
    ...(hidesCredentials([service]) ? [KEPT_NOT_TOLD] : []),
  ];
  const validity = ttlSeconds === null ? '' : `proxy_ignore_headers Cache-Control Expires;\nproxy_cache_valid ${KEPT_STATUSES} ${ttlSeconds}s;\n`;
  return `proxy_set_header X-Lictor-Keeper-Most ${mostBytes};
proxy_cache ${zoneOf(service)};
proxy_cache_key "${renderKey(service, rule, config)}";
proxy_cache_convert_head off;
proxy_cache_lock on;
proxy_cache_lock_timeout ${WAIT_SECONDS}s;
proxy_cache_lock_age ${WAIT_SECONDS}s;
proxy_cache_use_stale updating${staleSeconds > 0 ? ' error timeout http_500 http_502 http_503 http_504' : ''};
proxy_cache_bypass $lictor_kept_body;
proxy_no_cache ${not.join(' ')};
${validity}`;
}

/** So long an answer may stand beyond its time while another is fetched, where nothing else is said. */
const RENEWAL_SECONDS = 5;

/**
 * First how many seconds it may stand beyond its time (kept-answers.ts reads that). Everything that the service sees of a call and that its
 * caller chooses is in it. A header's value has no line end, so that no value can pass for two.
 */
function renderKey(service: Service, rule: KeptAnswers, config: Pick<Config, 'forwardHeaders'>): string {
  const whose = rule.shared ? 'everybody' : '$lictor_limit';
  const headers = ['accept', 'accept_encoding', 'accept_language', ...forwarded(service, config).map((header) => header.replaceAll('-', '_'))];
  const first = [Math.max(rule.staleSeconds, RENEWAL_SECONDS), service.name, fingerprint(service, rule), '$lictor_kept_generation', whose, '$request_method'];
  return [first.join(' '), ...headers.map((header) => `$http_${header}`), '$lictor_service_target'].join('\\n');
}

/** What is kept by one configuration is not answered by another. */
function fingerprint({ servers, path, caFile, forwardHeaders }: Service, rule: KeptAnswers): string {
  return createHash('sha256').update(JSON.stringify({ servers, path, caFile, forwardHeaders, rule })).digest('hex').slice(0, 16);
}

function longestSeconds({ cache }: Service): number {
  return Math.max(...cache.map(({ ttlSeconds, staleSeconds }) => (ttlSeconds ?? 3600) + Math.max(staleSeconds, RENEWAL_SECONDS)));
}

function zoneOf(service: Service): string {
  return `lictor_kept_${inVariables(service)}`;
}
