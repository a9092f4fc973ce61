// The pages on which a person allows the login of a command line: its code, its rights, and the result.
import { CLIENT_SCOPES, type ClientScope } from '../../contract/client-scopes.ts';
import { type Html, html, NOTHING } from './html.ts';
import { renderPage, scopeList } from './page-frame.ts';

export interface DevicePages {
  enter(page: EnterPage): string;
  confirm(page: ConfirmPage): string;
  allowed(page: AllowedPage): string;
  refused(): string;
}

export interface EnterPage {
  readonly name: string;
  /** The text that the person typed before. */
  readonly typed: string;
  /** The problem with that text. Null: none. */
  readonly problem: string | null;
}

export interface ConfirmPage {
  readonly name: string;
  readonly client: string;
  readonly userCode: string;
  readonly scopes: readonly ClientScope[];
  /** The tokens are for another part of the gateway than Prefect. */
  readonly elsewhere: string | null;
  readonly address: string;
  readonly secondsAgo: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface AllowedPage {
  readonly client: string;
  readonly name: string;
  readonly until: Date;
  /** The login ends with the browser's session, because this provider issues no separate tokens. */
  readonly withSession: string | null;
}

export function createDevicePages({ host, prefix }: { readonly host: string; readonly prefix: string }): DevicePages {
  const render = (name: string, title: string, body: Html): string => renderPage({ title, body, person: { name, prefix } });
  return {
    enter: (page) => render(page.name, 'Log in a command line', enterPage(page, prefix)),
    confirm: (page) => render(page.name, 'Allow this login?', confirmPage(page, host, prefix)),
    allowed: (page) => render(page.name, 'Logged in', allowedPage(page, host)),
    refused: () =>
      renderPage({
        title: 'Refused',
        body: html`<h1>Refused</h1>
<p>The login was not let in, and its code is of no use any more. You may close this page.</p>`,
      }),
  };
}

function enterPage({ typed, problem }: EnterPage, prefix: string): Html {
  return html`<h1>Log in a command line</h1>
<p>Type the code that your terminal shows.</p>
${problem === null ? NOTHING : html`<div class="alert" role="alert" id="problem">${problem}</div>`}
<form method="get" action="${prefix}/device">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" value="${typed}" class="code" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="20" placeholder="BCDF-GHJK"${problem === null ? NOTHING : html` aria-describedby="problem"`} autofocus>
<button>Continue</button>
</form>`;
}

function confirmPage(page: ConfirmPage, host: string, prefix: string): Html {
  const { name, client, userCode, scopes, elsewhere, address, secondsAgo, fields } = page;
  return html`<h1>Allow this login?</h1>
<p><strong>${client}</strong> wants to act as <strong>${name}</strong> at <strong>${host}</strong>.</p>
<div class="code shown" aria-label="Code">${userCode}</div>
<dl class="facts">
<dt>Asked from</dt><dd>${address}, ${ago(secondsAgo)}</dd>
<dt>It may</dt><dd>${scopes.length === CLIENT_SCOPES.length ? html`do everything that you may do` : scopeList(scopes)}</dd>
${elsewhere === null ? NOTHING : html`<dt>At</dt><dd>${elsewhere}</dd>`}
</dl>
<p>Allow it only if you began it yourself and your terminal shows this code. If someone sent you here, refuse: they would act in your name.</p>
<form method="post" action="${prefix}/device">
${Object.entries(fields).map(([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`)}
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse" class="quiet">Refuse</button>
</form>`;
}

function allowedPage({ client, name, until, withSession }: AllowedPage, host: string): Html {
  const end = until.toISOString().slice(0, 16).replace('T', ' ');
  return html`<h1>You are logged in</h1>
<p><strong>${client}</strong> acts as <strong>${name}</strong> at <strong>${host}</strong>. Go back to your terminal; you may close this page.</p>
<p>${withSession === null ? html`The login lasts until ${end} UTC at the latest.` : html`${withSession} gives the gateway no way to ask for you later, so the login ends with your session in this browser, at ${end} UTC at the latest.`} <code>lictor logout</code> ends it.</p>`;
}

function ago(seconds: number): string {
  if (seconds < 60) return 'just now';
  const minutes = Math.floor(seconds / 60);
  return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`;
}
