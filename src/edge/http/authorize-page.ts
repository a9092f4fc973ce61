// The page on which a person allows a client: which one, where its code goes, what it may do, and until when.
import { CLIENT_SCOPES, type ClientScope } from '../../contract/client-scopes.ts';
import { redirectTarget } from '../../contract/redirect-uri.ts';
import { type Html, html, NOTHING } from './html.ts';
import { renderPage, scopeList } from './page-frame.ts';

export interface ConsentPage {
  /** `alice@corp`. */
  readonly name: string;
  readonly client: string;
  /** The agent that the client is; null: it acts as the person. */
  readonly agent: string | null;
  /** The host of the client's metadata document; null: lictor.yaml has the client. */
  readonly publishedBy: string | null;
  readonly redirectUri: string;
  readonly scopes: readonly ClientScope[];
  /** The tokens are for the interface for agents. */
  readonly forAgents: boolean;
  readonly until: Date;
  /** Of this gateway. */
  readonly host: string;
  readonly prefix: string;
  /** Sealed. */
  readonly request: string;
}

export function renderConsent(page: ConsentPage): string {
  const { name, client, agent, publishedBy, redirectUri, scopes, forAgents, until, host, prefix, request } = page;
  const body = html`<h1>Allow this client?</h1>
<p><strong>${client}</strong> wants to act as ${agent === null ? NOTHING : html`<strong>${agent}</strong> for `}<strong>${name}</strong> at <strong>${host}</strong>.</p>
<dl class="facts">
<dt>Client</dt><dd>${publishedBy === null ? 'named by the administrator of this gateway' : html`published by <strong>${publishedBy}</strong>`}</dd>
<dt>Sends you to</dt><dd><strong>${redirectTarget(redirectUri)}</strong></dd>
<dt>It may</dt><dd>${scopes.length === CLIENT_SCOPES.length ? 'do everything that you may do' : scopeList(scopes)}</dd>
<dt>At</dt><dd>${forAgents ? 'the interface for agents (MCP), and nowhere else' : "Prefect's API"}</dd>
<dt>Until</dt><dd>${until.toISOString().slice(0, 16).replace('T', ' ')} UTC at the latest</dd>
</dl>
${redirectUri.startsWith('https:') ? NOTHING : PROGRAM}
<p>Allow it only if you began this login yourself. If someone sent you here, refuse: they would act in your name.</p>
<form method="post" action="${prefix}/oauth/authorize">
<input type="hidden" name="request" value="${request}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse" class="quiet">Refuse</button>
</form>`;
  return renderPage({ title: 'Allow this client?', body, person: { name, prefix } });
}

/** On loopback, or by a scheme: any program can listen, and register any scheme (RFC 8252 8.6). */
const PROGRAM: Html = html`<div class="alert" role="note">The login goes to a program on this computer. Any program here can use this client's name.</div>`;
