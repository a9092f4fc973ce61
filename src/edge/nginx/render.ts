// Config and catalogue -> the files of the nginx configuration, for the installed nginx version.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/config.ts';
import { boundsOf } from '../../config/machine.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import type { Operation } from '../../contract/operation.ts';
import { DOLLAR_VARIABLE, quote, quotePath, quoteVerbatim } from './quote.ts';
import { linkedOperations, literal, renderBasePath, renderDocumentLinks, renderMediatedRedirects } from './render-base-path.ts';
import { renderIdentityLimit, renderLimitedRoles, renderLimitZones } from './render-limits.ts';
import { renderMaps, renderTransportSecurity } from './render-maps.ts';
import { renderWouldDeny, renderWouldDenyAnswer, renderWouldDenyMediated } from './render-observe.ts';
import { renderPageMaps, renderPages } from './render-pages.ts';
import { renderRequestId } from './render-request-id.ts';
import { renderServers } from './render-servers.ts';
import { renderServices } from './render-services.ts';
import { renderHttp } from './render-traces.ts';
import {
  renderCredential,
  renderForwardHeaders,
  renderMediatedTimeout,
  renderNextCredential,
  renderStraightToPrefect,
  renderToPrefect,
  renderUpstreamHeaders,
  renderUpstreams,
} from './render-upstream.ts';
import { routeMaps } from './routes.ts';
import type { NginxVersion } from './version.ts';

/** The hand-written parts, included by name from the rendered `nginx.conf`. */
const PARTS_DIR = fileURLToPath(new URL('../../../nginx/', import.meta.url));

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
  /** The limit of open files of a worker: the hard limit of the process, at most 65,536. */
  readonly openFiles: number;
  /** A name of this node and state, in every request id. It distinguishes the ids of several gateways. */
  readonly node: string;
  /** The secret by which the control plane recognises this nginx (src/config/keys/edge-secret.ts). */
  readonly edgeSecret: string;
}

/**
 * File name -> content. Only `edge-secret.conf`, `upstream-credential*.conf`, `service_NAME_credential.conf` and `answer-credentials.conf` hold
 * secrets. All files have mode 0600.
 */
export type EdgeFiles = ReadonlyMap<string, string>;

export function renderEdge(input: EdgeInput): EdgeFiles {
  const { config } = input;
  const files = new Map<string, string>();
  for (const name of readdirSync(PARTS_DIR)
    .filter((entry) => entry.endsWith('.conf'))
    .sort()) {
    files.set(name, readFileSync(join(PARTS_DIR, name), 'utf8'));
  }
  files.set('http.conf', renderHttp(files.get('http.conf') ?? '', config));
  files.set('nginx.conf', renderMain(input));
  files.set('base-path.conf', renderBasePath(config));
  files.set('routes.conf', renderRoutes(input.operations, config));
  files.set('maps.conf', renderMaps(config));
  files.set('page-maps.conf', renderPageMaps());
  files.set('pages.conf', renderPages());
  files.set('transport-security.conf', renderTransportSecurity(config));
  files.set('servers.conf', renderServers(input));
  files.set('upstreams.conf', renderUpstreams(input));
  files.set('to-prefect.conf', renderToPrefect(config));
  files.set('straight-to-prefect.conf', renderStraightToPrefect(config));
  files.set('mediated-redirects.conf', renderMediatedRedirects(config));
  files.set('mediated-timeout.conf', renderMediatedTimeout(config));
  files.set('document-links.conf', renderDocumentLinks(config));
  files.set('upstream-headers.conf', renderUpstreamHeaders(config));
  files.set('upstream-credential.conf', renderCredential(config));
  if (config.prefect.next !== null) files.set('upstream-credential-next.conf', renderNextCredential(config));
  files.set('edge-secret.conf', `proxy_set_header X-Lictor-Edge ${quote(input.edgeSecret)};\n`);
  files.set('forward-headers.conf', renderForwardHeaders(config));
  for (const [name, text] of renderServices(input)) addFile(files, name, text);
  files.set('open-decisions.conf', renderOpenDecisions(input));
  files.set('limits.conf', renderLimitZones(config.limits));
  files.set('identity-limit.conf', renderIdentityLimit(config.limits));
  files.set('would-deny.conf', renderWouldDeny(config));
  files.set('would-deny-answer.conf', renderWouldDenyAnswer(config));
  files.set('would-deny-mediated.conf', renderWouldDenyMediated(config));
  files.set('limited-roles.conf', renderLimitedRoles(config.limits));
  return files;
}

/** An administrator chooses the names of services: the file of one must never replace another file. */
function addFile(files: Map<string, string>, name: string, text: string): void {
  if (files.has(name)) throw new LictorError('edge-template', `Two parts of the nginx configuration are called ${name}.`);
  files.set(name, text);
}

/** For each worker: at most as many as there can be (LIVE_KEYS_LIMITS), and a quarter of its open files. A renewed key is a new file. */
function renderOpenDecisions({ openFiles }: EdgeInput): string {
  return `open_file_cache max=${Math.min(8000, Math.floor(openFiles / 4))} inactive=2s;
open_file_cache_valid 1s;
open_file_cache_min_uses 1;
open_file_cache_errors off;
`;
}

function renderMain({ config, paths, version, workerUser, tempDir, workers, openFiles, node }: EdgeInput): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `    ${kind}_temp_path ${quotePath(join(tempDir, kind))};`);
  return `# Rendered by lictor for nginx ${version.text}: do not edit, it is replaced at every start.
daemon off;
${workerUser === null ? '' : `user ${workerUser};\n`}worker_processes ${workers};
worker_rlimit_nofile ${openFiles};
worker_shutdown_timeout 1h;
pid ${quotePath(paths.nginxPid)};
error_log ${quotePath(paths.edgeErrorLog)} warn;
pcre_jit on;
events { worker_connections ${boundsOf({ openFiles, memoryBytes: 0 }).edgeConnections}; }
http {
    include http.conf;
${temp.join('\n')}
    geo $${DOLLAR_VARIABLE} { default "$"; }
${renderRequestId(version, node)}    access_log ${quotePath(paths.accessLog)} lictor;

    # One level: nginx recreates one missing directory, but not two while a sweep removes the first one.
    proxy_cache_path ${quotePath(paths.decisionCache)} levels=1 keys_zone=lictor_decisions:16m max_size=64m inactive=40s use_temp_path=off;
    include limits.conf;

    include upstreams.conf;
    include canonical.conf;
    include base-path.conf;
    include routes.conf;
    include maps.conf;
    include page-maps.conf;
${config.services.length === 0 ? '' : '    include service-maps.conf;\n'}    include servers.conf;
}
`;
}

function renderRoutes(operations: readonly Operation[], { publicUrl }: Config): string {
  const maps = routeMaps(operations, literal(publicUrl.basePath));
  const block = (source: string, target: string, lines: readonly string[], fallback: string): string =>
    `map ${source} ${target} {\n${lines.map((line) => `    ${line}\n`).join('')}    default ${fallback};\n}\n`;
  return [
    '# The shape of a target, from its raw bytes. Most requests have one of the first two shapes.\n',
    block('$request_uri', '$lictor_shape', maps.shapes, '""'),
    '# The action catalogue. Unknown paths and methods have no operation, so Lictor denies them.\n',
    block('$lictor_shape', '$lictor_collapsed', ['id "$lictor_t1/*$lictor_t2";', 'lower $lictor_path;'], '$lictor_static_path'),
    block('"$request_method $lictor_collapsed"', '$lictor_operation', maps.direct, '$lictor_operation_by_template'),
    block('$lictor_collapsed', '$lictor_template', maps.templates, '$lictor_parameterised'),
    block('$lictor_path', '$lictor_parameterised', maps.parameterised, '""'),
    block('"$request_method $lictor_template"', '$lictor_operation_by_template', maps.operations, '""'),
    '# Further inputs of the decision for some operations: a part of its key, and sent with it.\n',
    block('$lictor_operation', '$lictor_deciding', maps.deciding, '"|"'),
    block('$lictor_operation', '$lictor_object', maps.objects, '""'),
    block('$lictor_operation', '$lictor_deciding_args', maps.args, '""'),
    '# Pages of the UI and of the API documents get a script and separate headers. Some answers have links to correct.\n',
    block('$lictor_operation', '$lictor_area', areaLines(operations, linkedOperations(publicUrl)), '"api"'),
  ].join('\n');
}

function areaLines(operations: readonly Operation[], linked: readonly string[]): readonly string[] {
  const pages = operations.map(({ operationId }) => operationId).filter((operationId) => /^(?:ui|docs):/.test(operationId));
  return [...pages.map((page) => `${quoteVerbatim(page)} $lictor_ui_area;`), ...linked.map((operationId) => `${quoteVerbatim(operationId)} "linked";`)];
}
