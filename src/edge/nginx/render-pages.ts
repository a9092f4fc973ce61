// Refusals as nginx's own pages, with the look of the control plane's: they are there when it is not.
import { createHash } from 'node:crypto';
import { PAGE_MARK, PAGE_STYLE } from '../../contract/page-style.ts';
import { quote } from './quote.ts';

/** One title for each status that nginx itself answers a navigation with. */
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

/** nginx takes no parameter of 4096 bytes. */
const PART_LETTERS = 2000;
const STYLE = PAGE_STYLE.trim().replaceAll(/\s*\n\s*/g, ' ');
const PARTS = STYLE.match(new RegExp(`.{1,${PART_LETTERS}}`, 'g')) ?? [];
const HASH = createHash('sha256').update(STYLE).digest('base64');

/** A parameter of `add_header`. */
export const PAGE_SECURITY_POLICY = `"default-src 'none'; style-src 'sha256-${HASH}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"`;

export function renderPageMaps(): string {
  const style = PARTS.map((part, place) => `map "" $lictor_page_style_${place} { default ${quote(part)}; }\n`).join('');
  return `# What the pages of refusals share (src/edge/nginx/render-pages.ts).
${style}map $lictor_refused $lictor_page_refresh { gateway-unavailable 3; upstream-unavailable 3; default ""; }
map $lictor_refused $lictor_page_note { gateway-unavailable " This page tries again by itself."; upstream-unavailable " This page tries again by itself."; default ""; }
# Under another host's name no link leads to the gateway.
map $lictor_refused $lictor_page_links { host-unknown ""; default ${quoteVariables(links('$lictor_base'))}; }
`;
}

/** A location for each status. A refusal that has set its text goes here for a navigation: `rewrite ^ /.lictor-page/STATUS last`. */
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
${status === 400 ? '    keepalive_timeout 0; # Where such a request ends is not known.\n' : ''}    default_type "text/html; charset=utf-8";
    include own-answer.conf;
    add_header Content-Security-Policy ${PAGE_SECURITY_POLICY} always;
    add_header Referrer-Policy same-origin always;
${retry === undefined ? '' : `    add_header Retry-After ${retry} always;\n    add_header Refresh $lictor_page_refresh always;\n`}    return ${status} ${text};
}
`;
}

interface PageText {
  readonly title: string;
  /** HTML, or a variable that holds text without HTML's own characters (src/authorization/decide/denied-detail.ts). */
  readonly text: string;
  readonly code: string;
  readonly requestId: string;
}

/** One quoted parameter; variables in it are nginx's. */
export function renderPageText({ title, text, code, requestId }: PageText): string {
  const style = PARTS.map((_part, place) => `\${lictor_page_style_${place}}`).join('');
  const head = `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>${title} - Lictor</title><style>${style}</style></head>`;
  const body = `<div class="brand">${PAGE_MARK}<span>Lictor</span></div><h1>${title}</h1><p>${text}</p>$lictor_page_links<p class="reference"><code>${code}</code><code>${requestId}</code></p>`;
  return quoteVariables(`<!doctype html><html lang="en">${head}<body><main>${body}</main><footer>Lictor guards this Prefect server.</footer></body></html>`);
}

function links(base: string): string {
  return `<a class="button" href="${base}/">Back to Prefect</a><a class="button quiet" href="${base}/.lictor/">Account and sign out</a>`;
}

/** Text of this file alone, never of a configuration: `$` stands for a variable. */
function quoteVariables(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}
