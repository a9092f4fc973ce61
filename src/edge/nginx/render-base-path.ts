// The effects of a path in public_url: on the mapping and forwarding of requests, and on links in answers.
import type { Config, PublicUrl } from '../../config/config.ts';
import { wellKnownPaths } from '../../contract/names.ts';
import { quote, quoteVerbatim } from './quote.ts';

/** Prefect's answers with absolute links in them, by operation. */
const LINKED = ['read_events_events_filter_post', 'read_account_events_page_events_filter_next_get'];

/**
 * The maps between the raw path and the catalogue. All read $request_uri, so nginx forwards the bytes of the client unchanged. `<base>/api/...`
 * loses the base, because Prefect's API does not know it. Paths of the UI stay whole (PREFECT_UI_SERVE_BASE).
 */
export function renderBasePath({ publicUrl }: Config): string {
  const { basePath } = publicUrl;
  const base = `# The path of public_url: nginx serves nothing outside it.
map "" $lictor_base { default ${quote(basePath)}; }
`;
  if (basePath === '')
    return `${base}map "" $lictor_outside { default ""; }
map $lictor_shape $lictor_path { "" $lictor_shapeless_path; default $lictor_path_part; }
map "" $lictor_ui_area { default "ui"; }
`;
  const below = `~^${literal(basePath)}`;
  return `${base}map $lictor_raw_path $lictor_path {
    ${quoteVerbatim(`${below}(?<lictor_path_below>/.*)$`)} $lictor_path_below;
    default "";
}
# The base path without a slash at the end is redirected.
map $lictor_shape $lictor_outside {
    outside $lictor_outside_root;
    default "";
}
map $lictor_raw_path $lictor_outside_root {
${wellKnownOutside(basePath)}    default "1";
}
map $request_uri $lictor_target_below {
    ${quoteVerbatim(`${below}(?<lictor_uri_below>/.*)$`)} $lictor_uri_below;
    default "/.lictor-outside";
}
map $lictor_operation $lictor_forwarded_target {
    "~^ui:" $request_uri;
    default $lictor_target_below;
}
map $lictor_path $lictor_ui_area {
    "~^(?:/v2)?/assets/[^/]+\\.js$" "script";
    default "ui";
}
`;
}

/** The metadata of the authorization server is also available at the root of the host. */
function wellKnownOutside(basePath: string): string {
  const outside = wellKnownPaths(basePath).all.filter((path) => !path.startsWith(`${basePath}/`));
  return outside.map((path) => `    ${quoteVerbatim(`~^${literal(path)}$`)} "";\n`).join('');
}

/** Operations whose answers have links from the root. With a path in public_url, nginx corrects them. */
export function linkedOperations({ basePath }: PublicUrl): readonly string[] {
  return basePath === '' ? [] : LINKED;
}

/** Routes of the admin API that answer with server-sent events. */
const STREAMS = ['stream', 'sockets/stream'] as const;

/** The gateway's pages, the base path without a slash at the end, and answers with corrected links. */
export function renderPlaces({ publicUrl }: Config): string {
  const { basePath } = publicUrl;
  const own = `
    location = ${quoteVerbatim(`${basePath}/.lictor`)} { return 404; }
    location ^~ ${quoteVerbatim(`${basePath}/.lictor/`)} { include own.conf; }
    location ^~ ${quoteVerbatim(`${basePath}/.lictor/api/v1/policies`)} { include own-large.conf; }
${STREAMS.map((path) => `    location = ${quoteVerbatim(`${basePath}/.lictor/api/v1/${path}`)} { include own-stream.conf; }\n`).join('')}    location = ${quoteVerbatim(`${basePath}/.lictor/mcp`)} { include mcp.conf; }
    location ^~ ${quoteVerbatim(`${basePath}/.lictor/scim/`)} { include scim.conf; }
${wellKnownPaths(basePath)
  .all.map((path) => `    location = ${quoteVerbatim(path)} { include own.conf; }\n`)
  .join('')}`;
  if (basePath === '') return own;
  return `${own}
    location = ${quoteVerbatim(basePath)} { return 308 $lictor_base/$is_args$args; }

    location @linked {
        include linked.conf;
${linkFilters(publicUrl)}    }

    # Both UIs request the icon of a run's state at the root, with any base.
    location @script {
        include linked.conf;
        sub_filter_last_modified on;
        add_header X-Content-Type-Options nosniff always;
        sub_filter ${quote('`/ico/')} ${quote(`\`${basePath}/ico/`)};
        sub_filter ${quote(v2Icon('/'))} ${quote(v2Icon(`${basePath}/v2/`))};
    }
`;
}

/** Text in the script of UI v2, Prefect 3.9. test/e2e/public-path.test.ts fails if it changes. */
const v2Icon = (directory: string): string => `\`${directory}\${e.toLowerCase()}.svg\``;

/** Prefect builds the link to the next page from Host and scheme. It believes X-Forwarded-Proto only from machines that it trusts. */
function linkFilters(publicUrl: PublicUrl): string {
  const { origin, basePath } = publicUrl;
  const next = '/api/events/filter/next?page-token=';
  const pages = ['http', 'https'].map((scheme): readonly [string, string] => [
    `"next_page":"${scheme}://${authorityOf(publicUrl)}${next}`,
    `"next_page":"${origin}${basePath}${next}`,
  ]);
  return pages.map(([from, to]) => `        sub_filter ${quote(from)} ${quote(to)};\n`).join('');
}

/** The pages of the API documents link to the document from the root. */
export function renderDocumentLinks({ publicUrl: { basePath } }: Config): string {
  if (basePath === '') return '';
  const links = ['/openapi.json', '/api/openapi.json'].flatMap((path) => [
    [`url: '${path}'`, `url: '${basePath}${path}'`],
    [`spec-url="${path}"`, `spec-url="${basePath}${path}"`],
  ]);
  return links.map(([from = '', to = '']) => `sub_filter ${quote(from)} ${quote(to)};\n`).join('');
}

/** The target in proxy_pass. Empty: nginx forwards the raw target. */
export function forwardedTarget({ basePath }: PublicUrl): string {
  return basePath === '' ? '' : '$lictor_forwarded_target';
}

/** Makes Prefect's absolute redirects relative, and adds the removed path to those of its API. */
export function renderRedirects(publicUrl: PublicUrl): string {
  const { basePath } = publicUrl;
  const roots = ['http', 'https'].map((scheme) => `${scheme}://${authorityOf(publicUrl)}`);
  const redirect = (from: string, to: string): string => `proxy_redirect ${quote(from)} ${quote(to)};\n`;
  if (basePath === '') return roots.map((root) => `proxy_redirect ${quote(`${root}/`)} /;\n`).join('');
  return [...roots, ''].flatMap((root) => [redirect(`${root}${basePath}/`, `${basePath}/`), redirect(`${root}/`, `${basePath}/`)]).join('');
}

/** The mediator forwards Prefect's redirects unchanged. */
export function renderMediatedRedirects({ publicUrl }: Config): string {
  return publicUrl.basePath === '' ? '' : renderRedirects(publicUrl);
}

/** `prefect.example.com:8443`. */
export function authorityOf({ origin }: PublicUrl): string {
  return origin.slice(origin.indexOf('//') + 2);
}

/** The path, for a regular expression. */
export function literal(basePath: string): string {
  return basePath.replaceAll('.', '\\.');
}
