// Rejections as pages of nginx, in the style of the control plane's pages. They also work while the control plane is down.
import { createHash } from 'node:crypto';
import { PAGE_MARK, PAGE_STYLE } from '../../contract/page-style.ts';
import { quote } from './quote.ts';

/** One title for each status of these pages. */
const TITLES: Readonly<Record<number, string>> = {
  400: 'That did not work',
  401: 'Not signed in',
  403: 'Not permitted',
  404: 'Not found',
  413: 'Too large',
  429: 'Too many requests',
  503: 'One moment',
};

const RETRY_SECONDS: Readonly<Record<number, number>> = { 429: 1, 503: 2 };

/** nginx rejects a parameter of 4096 bytes. */
const PART_LETTERS = 2000;
const STYLE = PAGE_STYLE.trim().replaceAll(/\s*\n\s*/g, ' ');
const PARTS = STYLE.match(new RegExp(`.{1,${PART_LETTERS}}`, 'g')) ?? [];
const HASH = createHash('sha256').update(STYLE).digest('base64');

/** A parameter of `add_header`. */
export const PAGE_SECURITY_POLICY = `"default-src 'none'; style-src 'sha256-${HASH}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"`;

export function renderPageMaps(): string {
  const style = PARTS.map((part, place) => `map "" $lictor_page_style_${place} { default ${quote(part)}; }\n`).join('');
  return `# Shared parts of the pages for rejections (src/edge/nginx/render-pages.ts).
${style}map $lictor_refused $lictor_page_refresh { gateway-unavailable 3; upstream-unavailable 3; default ""; }
map $lictor_refused $lictor_page_note { gateway-unavailable " This page tries again by itself."; upstream-unavailable " This page tries again by itself."; default ""; }
# With another host name, the page has no link to the gateway.
map $lictor_refused $lictor_page_links { host-unknown ""; default ${quoteVariables(links('$lictor_base'))}; }
`;
}

/** A location for each status. A rejection of a navigation sets its text and goes here: `rewrite ^ /.lictor-page/STATUS last`. */
export function renderPages(): string {
  return Object.entries(TITLES)
    .map(([status, title]) => renderPageLocation(Number(status), title))
    .join('');
}

function renderPageLocation(status: number, title: string): string {
  const retry = RETRY_SECONDS[status];
  const text = renderPageText({ title, text: '$lictor_page_text$lictor_page_note', code: '$lictor_refused', requestId: '$lictor_request_id' });
  return `location = /.lictor-page/${status} {
    internal;
${status === 400 ? '    keepalive_timeout 0; # The end of such a request is uncertain.\n' : ''}    default_type "text/html; charset=utf-8";
    include own-answer.conf;
    add_header Content-Security-Policy ${PAGE_SECURITY_POLICY} always;
    add_header Referrer-Policy same-origin always;
${retry === undefined ? '' : `    add_header Retry-After ${retry} always;\n    add_header Refresh $lictor_page_refresh always;\n`}    return ${status} ${text};
}
`;
}

interface PageText {
  readonly title: string;
  /** HTML, or a variable with text that needs no escape in HTML (src/authorization/decide/denied-detail.ts). */
  readonly text: string;
  readonly code: string;
  readonly requestId: string;
}

/** One quoted parameter. nginx expands its variables. */
export function renderPageText({ title, text, code, requestId }: PageText): string {
  const style = PARTS.map((_part, place) => `\${lictor_page_style_${place}}`).join('');
  const head = `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>${title} - Lictor</title><style>${style}</style></head>`;
  const body = `<div class="brand">${PAGE_MARK}<span>Lictor</span></div><h1>${title}</h1><p>${text}</p>$lictor_page_links<p class="reference"><code>${code}</code><code>${requestId}</code></p>`;
  return quoteVariables(`<!doctype html><html lang="en">${head}<body><main>${body}</main><footer>Lictor guards this Prefect server.</footer></body></html>`);
}

function links(base: string): string {
  return `<a class="button" href="${base}/">Back to Prefect</a><a class="button quiet" href="${base}/.lictor/">Account and sign out</a>`;
}

/** Only for text of this file, never of a configuration, because nginx expands `$`. */
function quoteVariables(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}
