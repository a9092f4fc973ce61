// The HTML frame and the headers of every page of the gateway.
import { createHash } from 'node:crypto';
import { type ClientScope, SCOPE_WORDS } from '../../contract/client-scopes.ts';
import { PAGE_MARK, PAGE_STYLE } from '../../contract/page-style.ts';
import { type Html, html, NOTHING } from './html.ts';

/** For the person and for approvals. nginx needs none of it. */
const STYLE = `${PAGE_STYLE}.who { display: flex; align-items: center; gap: .6rem; min-width: 0; margin: 0 0 0 auto; font-size: .85rem; font-weight: 400; }
.brand .who span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--soft); }
.who button { flex: none; width: auto; margin: 0; padding: .2rem .7rem; }
.arguments {
  margin: 0 0 1.5rem; padding: .8rem; max-height: 24rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; border: 1px solid var(--line); border-radius: 9px;
}
.waiting { margin: 0; padding: 0; list-style: none; }
.waiting li { padding: .8rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.waiting p { margin: 0; font-size: .92rem; }
`;

export interface SignedInPerson {
  readonly name: string;
  /** `BASE/.lictor`. */
  readonly prefix: string;
}

export interface FramedPage {
  readonly title: string;
  readonly body: Html;
  /** Left out: nobody is signed in, or the page itself is about that. */
  readonly person?: SignedInPerson;
  /** The policy allows it by its hash. Left out: no script. */
  readonly script?: string;
}

export function renderPage({ title, body, person, script }: FramedPage): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} - Lictor</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
<div class="brand">${{ html: PAGE_MARK }}<span>Lictor</span>${person === undefined ? NOTHING : signOut(person)}</div>
${body}
</main>
<footer>Lictor guards this Prefect server. Programs use a service token.</footer>
${script === undefined ? NOTHING : html`<script>${{ html: script }}</script>`}
</body>
</html>
`.html;
}

function signOut({ name, prefix }: SignedInPerson): Html {
  return html`<form method="post" action="${prefix}/logout" class="who"><span title="Signed in as ${name}">${name}</span><button class="quiet">Sign out</button></form>`;
}

/** The rights that a person gives a client, in words. */
export function scopeList(scopes: readonly ClientScope[]): Html {
  return html`<ul>${scopes.map((scope) => html`<li>${SCOPE_WORDS[scope]}</li>`)}</ul>`;
}

/** Allows only the style of the page, and forms to this origin. */
export function pageHeaders(): Readonly<Record<string, string>> {
  return headersWith("form-action 'self'");
}

/** With one inline script, and a form to any site: browsers also check redirects after a form against the policy. */
export function leavingHeaders(script: string): Readonly<Record<string, string>> {
  return headersWith(`script-src '${hash(script)}'`);
}

/** With one inline script, and a form to this origin. */
export function returningHeaders(script: string): Readonly<Record<string, string>> {
  return headersWith(`script-src '${hash(script)}'; form-action 'self'`);
}

/** With a form whose answer may redirect to another site. */
export function freeFormHeaders(): Readonly<Record<string, string>> {
  return headersWith('form-action *');
}

/** The same where the other site may be an app with a scheme of its name (`cursor:`), which `*` does not cover. */
export function redirectingFormHeaders(target: string): Readonly<Record<string, string>> {
  return headersWith(target.endsWith(':') ? `form-action * ${target}` : 'form-action *');
}

function headersWith(rule: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src '${hash(STYLE)}'; ${rule}; frame-ancestors 'none'; base-uri 'none'`,
    // Not no-referrer: browsers would then send "Origin: null" with a form of the gateway (Fetch, "append a request Origin header").
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': 'DENY',
  };
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
