// The gateway's own pages: log in, log out, and what went wrong. Server-rendered; nothing from outside.
import type { LeaveForm } from '../../identity/authn/external/provider.ts';
import { type Html, html, NOTHING } from './html.ts';
import { leavingHeaders, pageHeaders, renderPage, returningHeaders } from './page-frame.ts';

export interface Pages {
  login(page: LoginPage): string;
  /** No accounts are configured: there is no form to show. */
  loginClosed(): string;
  signedIn(page: { readonly name: string; readonly roles: readonly string[]; readonly continueTo: string }): string;
  /** The account may do nothing here. */
  withoutRole(name: string): string;
  confirmLogout(name: string): string;
  /** The provider has answered, and there is no login: what happened, its code, and the way to begin again. */
  loginFailed(page: FailedLogin): string;
  /** The provider knows the person, and no role here does. */
  notInGroup(page: NotInGroup): string;
  /** `stillAt`: the provider where the person stays signed in, since it has no logout of its own. */
  loggedOut(stillAt: string | null): string;
  /** Signed out here; the browser goes on to the provider, by itself or by the button. */
  leaving(page: { readonly idp: string; readonly form: LeaveForm }): { readonly html: string; readonly headers: Readonly<Record<string, string>> };
  /** Back from a provider by a form of its own, with which no cookie comes: this page sends it once more, from here. */
  returning(page: { readonly idp: string; readonly form: LeaveForm }): { readonly html: string; readonly headers: Readonly<Record<string, string>> };
  message(page: { readonly title: string; readonly text: string; readonly hint: string; readonly code: string; readonly requestId: string }): string;
  /** To send with every page: nothing is loaded but the page's own style. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoginPage {
  /** Empty: none. */
  readonly attempt: string;
  /** Providers to choose from. */
  readonly idps: readonly string[];
  /** There are built-in accounts: the form is shown. */
  readonly accounts: boolean;
  readonly name: string;
  /** What went wrong the last time; null: nothing. */
  readonly problem: string | null;
}

export interface FailedLogin {
  readonly code: string;
  readonly text: string;
  readonly hint: string;
  readonly requestId: string;
}

export interface NotInGroup {
  /** `bob@corp`. */
  readonly name: string;
  readonly idp: string;
  /** Those that have a role; empty: the roles are bound to something else. */
  readonly groups: readonly string[];
}

/** `host` is what the person sees in the address bar; `prefix` is `BASE/.lictor`. */
export function createPages({ host, prefix, home }: { readonly host: string; readonly prefix: string; readonly home: string }): Pages {
  const render = (title: string, body: Html): string => renderPage({ title, body });
  return {
    login: (page) => render('Sign in', loginPage(page, host, prefix)),
    loginClosed: () =>
      render(
        'Sign in',
        html`<h1>Nobody can sign in here</h1>
<p>This gateway has no identity provider for people. An administrator adds one to <code>lictor.yaml</code>:</p>
<p><code>identity_providers: [{ id: local, type: accounts }]</code></p>`,
      ),
    signedIn: ({ name, roles, continueTo }) =>
      render(
        'Signed in',
        html`<h1>You are signed in</h1>
<p>As <strong>${name}</strong> at <strong>${host}</strong>, ${roles.length === 0 ? 'without a role' : `with ${roles.length === 1 ? 'the role' : 'the roles'} ${roles.join(', ')}`}.</p>
<a class="button" href="${continueTo}">Continue to Prefect</a>
<form method="post" action="${prefix}/logout"><button class="quiet">Sign out</button></form>`,
      ),
    withoutRole: (name) =>
      render(
        'No access yet',
        html`<h1>No access yet</h1>
<p>Your name and password are right, but <strong>${name}</strong> has no role here, so there is nothing you may see or do.</p>
<p>Ask an administrator of ${host} for a role.</p>
<a class="button quiet" href="${prefix}/login">Sign in as another person</a>`,
      ),
    confirmLogout: (name) =>
      render(
        'Sign out',
        html`<h1>Sign out?</h1>
<p>You are signed in as <strong>${name}</strong>.</p>
<form method="post" action="${prefix}/logout"><button autofocus>Sign out</button></form>
<a class="button quiet" href="${home}">Stay signed in</a>`,
      ),
    loginFailed: (page) => render('Not signed in', failedLogin(page, prefix)),
    notInGroup: (page) => render('No access yet', notInGroup(page, host, prefix)),
    leaving: ({ idp, form }) => ({
      html: renderPage({ title: 'Signing out', body: leavingForm(idp, form, host), script: SUBMIT }),
      headers: leavingHeaders(SUBMIT),
    }),
    returning: ({ idp, form }) => ({
      html: renderPage({ title: 'Signing in', body: returningForm(idp, form), script: SUBMIT }),
      headers: returningHeaders(SUBMIT),
    }),
    loggedOut: (stillAt) =>
      render(
        'Signed out',
        html`<h1>You are signed out</h1>
<p>The session at <strong>${host}</strong> has ended.${stillAt === null ? NOTHING : html` You are still signed in at <strong>${stillAt}</strong>.`}</p>
<a class="button" href="${prefix}/login">Sign in again</a>`,
      ),
    message: ({ title, text, hint, code, requestId }) =>
      render(
        title,
        html`<h1>${title}</h1>
<p>${text} ${hint}</p>
<a class="button" href="${home}">Back to Prefect</a>
<a class="button quiet" href="${prefix}/">Account and sign out</a>
<p class="reference"><code>${code}</code><code>${requestId}</code></p>`,
      ),
    headers: pageHeaders(),
  };
}

const SUBMIT = 'document.forms[0].submit()';

function loginPage(page: LoginPage, host: string, prefix: string): Html {
  const { idps, accounts, attempt, problem } = page;
  const query = attempt === '' ? '' : `&attempt=${attempt}`;
  // Behind a wrong password the form is what the person looks at; a list of providers above it stays.
  return html`<h1>Sign in to Prefect</h1>
<p>To continue to <strong>${host}</strong></p>
${idps.map((idp) => html`<a class="button" href="${prefix}/login?idp=${idp}${query}">Continue with ${idp}</a>`)}
${idps.length > 0 && accounts ? html`<div class="or">or with a local account</div>` : NOTHING}
${problem === null ? NOTHING : html`<div class="alert" role="alert" id="problem">${problem}</div>`}
${accounts ? loginForm(page, prefix) : NOTHING}`;
}

function loginForm({ attempt, name, problem, idps }: LoginPage, prefix: string): Html {
  const again = name !== '';
  const focusName = !again && idps.length === 0;
  return html`<form method="post" action="${prefix}/login">
${attempt === '' ? NOTHING : html`<input type="hidden" name="attempt" value="${attempt}">`}
<label for="username">Name</label>
<input id="username" name="username" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="128"${focusName ? html` autofocus` : NOTHING}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${problem === null ? NOTHING : html` aria-describedby="problem"`}${again ? html` autofocus` : NOTHING}>
<button${idps.length > 0 ? html` class="quiet"` : NOTHING}>Sign in</button>
</form>`;
}

function failedLogin({ code, text, hint, requestId }: FailedLogin, prefix: string): Html {
  return html`<h1>You are not signed in</h1>
<p>${text} ${hint}</p>
<a class="button" href="${prefix}/login">Sign in again</a>
<p class="reference"><code>${code}</code><code>${requestId}</code></p>`;
}

function notInGroup({ name, idp, groups }: NotInGroup, host: string, prefix: string): Html {
  const wanted =
    groups.length === 0
      ? html`<p>Ask an administrator of ${host} for a role.</p>`
      : html`<p>${groups.length === 1 ? 'This group' : 'These groups'} of <strong>${idp}</strong> ${groups.length === 1 ? 'has one. Ask to be added to it:' : 'have one. Ask to be added to one of them:'}</p>
<ul class="groups">${groups.map((group) => html`<li><code>${group}</code></li>`)}</ul>`;
  return html`<h1>No access yet</h1>
<p>${idp} knows you as <strong>${name}</strong>, but nothing that it says about you has a role at ${host}, so there is nothing you may see or do.</p>
${wanted}
<a class="button quiet" href="${prefix}/login?idp=${idp}&amp;other=1">Sign in as another person</a>`;
}

function leavingForm(idp: string, { method = 'post', action, fields }: LeaveForm, host: string): Html {
  return html`<h1>Signed out here</h1>
<p>The session at <strong>${host}</strong> has ended. One step is left: <strong>${idp}</strong>.</p>
<form method="${method}" action="${action}">
${hidden(fields)}
<button>Sign out of ${idp}</button>
</form>`;
}

function returningForm(idp: string, { action, fields }: LeaveForm): Html {
  return html`<h1>Signing in</h1>
<p>${idp} has answered.</p>
<form method="post" action="${action}">
${hidden(fields)}
<button>Continue</button>
</form>`;
}

function hidden(fields: LeaveForm['fields']): readonly Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}
