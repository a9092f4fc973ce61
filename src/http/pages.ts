// The gateway's own pages: log in, log out, and what went wrong. Server-rendered; no script, nothing from outside.
import { createHash } from 'node:crypto';
import { type Html, html, NOTHING } from './html.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface Pages {
  login(page: LoginPage): string;
  /** No accounts are configured: there is no form to show. */
  loginClosed(): string;
  signedIn(page: { readonly name: string; readonly continueTo: string }): string;
  /** The account may do nothing here. */
  withoutRole(name: string): string;
  confirmLogout(name: string): string;
  loggedOut(): string;
  message(page: { readonly title: string; readonly text: string; readonly hint: string; readonly requestId: string }): string;
  /** To send with every page: nothing is loaded but the page's own style. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoginPage {
  /** Empty: none. */
  readonly attempt: string;
  readonly name: string;
  /** What went wrong the last time; null: nothing. */
  readonly problem: string | null;
}

/** `host` is what the person sees in the address bar; `prefix` is `BASE/.lictor`. */
export function createPages({ host, prefix, home }: { readonly host: string; readonly prefix: string; readonly home: string }): Pages {
  return {
    login: (page) => render('Sign in', loginForm(page, host, prefix)),
    loginClosed: () =>
      render(
        'Sign in',
        html`<h1>Nobody can sign in here</h1>
<p>This gateway has no identity provider for people. An administrator adds one to <code>lictor.yaml</code>:</p>
<p><code>identity_providers: [{ id: local, type: accounts }]</code></p>`,
      ),
    signedIn: ({ name, continueTo }) =>
      render(
        'Signed in',
        html`<h1>You are signed in</h1>
<p>As <strong>${name}</strong> at <strong>${host}</strong>.</p>
<a class="button" href="${continueTo}">Continue to Prefect</a>
<form method="post" action="${prefix}/logout"><button class="quiet">Sign out</button></form>`,
      ),
    withoutRole: (name) =>
      render(
        'No access yet',
        html`<h1>No access yet</h1>
<p>Your name and password are right, but <strong>${name}</strong> has no role here, so there is nothing you may see or do.</p>
<p>Ask an administrator of ${host} for a role.</p>
<a class="button quiet" href="${prefix}/login">Sign in as somebody else</a>`,
      ),
    confirmLogout: (name) =>
      render(
        'Sign out',
        html`<h1>Sign out?</h1>
<p>You are signed in as <strong>${name}</strong>.</p>
<form method="post" action="${prefix}/logout"><button autofocus>Sign out</button></form>
<a class="button quiet" href="${home}">Stay signed in</a>`,
      ),
    loggedOut: () =>
      render(
        'Signed out',
        html`<h1>You are signed out</h1>
<p>The session at <strong>${host}</strong> has ended.</p>
<a class="button" href="${prefix}/login">Sign in again</a>`,
      ),
    message: ({ title, text, hint, requestId }) =>
      render(
        title,
        html`<h1>${title}</h1>
<p>${text} ${hint}</p>
<a class="button quiet" href="${home}">Back to Prefect</a>
<p></p><p><code>${requestId}</code></p>`,
      ),
    headers: pageHeaders(),
  };
}

function loginForm({ attempt, name, problem }: LoginPage, host: string, prefix: string): Html {
  const again = name !== '';
  return html`<h1>Sign in to Prefect</h1>
<p>To continue to <strong>${host}</strong></p>
${problem === null ? NOTHING : html`<div class="alert" role="alert" id="problem">${problem}</div>`}
<form method="post" action="${prefix}/login">
${attempt === '' ? NOTHING : html`<input type="hidden" name="attempt" value="${attempt}">`}
<label for="username">Name</label>
<input id="username" name="username" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="128"${again ? NOTHING : html` autofocus`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${problem === null ? NOTHING : html` aria-describedby="problem"`}${again ? html` autofocus` : NOTHING}>
<button>Sign in</button>
</form>`;
}

const MARK = html`<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M3 23V12a10 10 0 0 1 20 0v11"/><path d="M8.5 23V12.5a4.5 4.5 0 0 1 9 0V23"/><path d="M1.5 23h23"/></svg>`;

function render(title: string, body: Html): string {
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
<div class="brand">${MARK}<span>Lictor</span></div>
${body}
</main>
<footer>Lictor guards this Prefect server. Programs use a service token.</footer>
</body>
</html>
`.html;
}

function pageHeaders(): Readonly<Record<string, string>> {
  const style = createHash('sha256').update(PAGE_STYLE).digest('base64');
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    // Not no-referrer: browsers then send "Origin: null" with our own form (Fetch, "append a request Origin header").
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': 'DENY',
  };
}
