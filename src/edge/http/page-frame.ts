// The frame of every own page, and what is sent with it.
import { createHash } from 'node:crypto';
import { PAGE_MARK, PAGE_STYLE } from '../../contract/page-style.ts';
import { type Html, html, NOTHING } from './html.ts';

export interface FramedPage {
  readonly title: string;
  readonly body: Html;
  /** Runs by its hash alone; left out: none. */
  readonly script?: string;
}

export function renderPage({ title, body, script }: FramedPage): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} - Lictor</title>
<style>${{ html: PAGE_STYLE }}</style>
</head>
<body>
<main>
<div class="brand">${{ html: PAGE_MARK }}<span>Lictor</span></div>
${body}
</main>
<footer>Lictor guards this Prefect server. Programs use a service token.</footer>
${script === undefined ? NOTHING : html`<script>${{ html: script }}</script>`}
</body>
</html>
`.html;
}

/** Nothing is loaded but the page's own style, and forms lead here. */
export function pageHeaders(): Readonly<Record<string, string>> {
  return headersWith("form-action 'self'");
}

/** With one script of the page's own, and a form that leads elsewhere: wherever, since browsers hold redirects after it against the policy too. */
export function leavingHeaders(script: string): Readonly<Record<string, string>> {
  return headersWith(`script-src '${hash(script)}'`);
}

/** With one script of the page's own, and a form that leads here. */
export function returningHeaders(script: string): Readonly<Record<string, string>> {
  return headersWith(`script-src '${hash(script)}'; form-action 'self'`);
}

/** With a form whose answer may lead elsewhere. */
export function freeFormHeaders(): Readonly<Record<string, string>> {
  return headersWith('form-action *');
}

function headersWith(rule: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src '${hash(PAGE_STYLE)}'; ${rule}; frame-ancestors 'none'; base-uri 'none'`,
    // Not no-referrer: browsers then send "Origin: null" with our own form (Fetch, "append a request Origin header").
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': 'DENY',
  };
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
