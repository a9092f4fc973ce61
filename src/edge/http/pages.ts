// The gateway's pages: login, logout, errors. The server renders them, and they load nothing from elsewhere.
import type { LeaveForm } from '../../identity/authn/external/provider.ts';
import { type Html, html, NOTHING } from './html.ts';
import { leavingHeaders, pageHeaders, renderPage, returningHeaders } from './page-frame.ts';

export interface Pages {
  login(page: LoginPage): string;
  /** No accounts are configured, so the page has no form. */
  loginClosed(): string;
  signedIn(page: { readonly name: string; readonly roles: readonly string[]; readonly continueTo: string }): string;
  /** The account has no rights. */
  withoutRole(name: string): string;
  confirmLogout(name: string): string;
  /** The provider has answered, but the login failed: the problem, its code, and a link to start again. */
  loginFailed(page: FailedLogin): string;
  /** The provider knows the person, but no role matches. */
  notInGroup(page: NotInGroup): string;
  /** `stillAt`: the provider at which the person stays signed in, because it has no logout endpoint. */
  loggedOut(stillAt: string | null): string;
  /** After the logout here. The browser continues to the provider, automatically or by the button. */
  leaving(page: { readonly idp: string; readonly form: LeaveForm }): { readonly html: string; readonly headers: Readonly<Record<string, string>> };
  /** A provider's form from another site carries no cookie. This page sends the form again from this origin. */
  returning(page: { readonly idp: string; readonly form: LeaveForm }): { readonly html: string; readonly headers: Readonly<Record<string, string>> };
  message(page: { readonly title: string; readonly text: string; readonly hint: string; readonly code: string; readonly requestId: string }): string;
  /** The policy header of every page: it allows only the style of the page. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoginPage {
  /** Empty: none. */
  readonly attempt: string;
  /** Providers to choose from. */
  readonly idps: readonly string[];
  /** There are built-in accounts, so the page shows the form. */
  readonly accounts: boolean;
  readonly name: string;
  /** The error of the last attempt. Null: none. */
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
  /** Groups that have a role. Empty: no role is bound to a group. */
  readonly groups: readonly string[];
}

/** `host`: as in the address bar. `prefix`: `BASE/.lictor`. */
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
<a class="button quiet" href="${prefix}/console/">Open the console</a>
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
  // After a wrong password, the person looks at the form. The list of providers stays above it.
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
