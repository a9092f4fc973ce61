// The pages on which a person decides about waiting requests.
import { visible } from '../../contract/printable.ts';
import { minuteOf } from '../../contract/time-text.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import type { ApprovalState, StoredApproval } from '../../store/approvals.ts';
import { type Html, html, NOTHING } from './html.ts';
import { renderPage } from './page-frame.ts';

export interface ApprovalPages {
  list(page: { readonly name: string; readonly waiting: readonly StoredApproval[] }): string;
  one(page: ApprovalPage): string;
  decided(page: { readonly name: string; readonly isApproved: boolean; readonly approval: StoredApproval }): string;
}

export interface ApprovalPage {
  readonly name: string;
  readonly approval: StoredApproval;
  /** `decide`: the proof of the form. `log-in`: the login is too old. `none`: this person decides nothing here. */
  readonly may: { readonly kind: 'decide'; readonly proof: string } | { readonly kind: 'log-in' } | { readonly kind: 'none' };
}

export function createApprovalPages(prefix: string): ApprovalPages {
  const render = (name: string, title: string, body: Html): string => renderPage({ title, body, person: { name, prefix } });
  return {
    list: ({ name, waiting }) => render(name, 'Approvals', listPage(name, waiting, prefix)),
    one: (page) => render(page.name, 'Approve this request?', onePage(page, prefix)),
    decided: ({ name, isApproved, approval }) => render(name, isApproved ? 'Approved' : 'Denied', decidedPage(isApproved, approval, prefix)),
  };
}

function listPage(name: string, waiting: readonly StoredApproval[], prefix: string): Html {
  return html`<h1>Approvals</h1>
<p>Requests that wait for <strong>${name}</strong>.</p>
${waiting.length === 0 ? html`<p>No request waits for you.</p>` : NOTHING}
<ul class="waiting">${waiting.map(
    (approval) => html`<li><a href="${prefix}/approvals/${approval.id}">${actionWords(approval.action)}: ${resourceText(approval)}</a>
<p>${requesterText(approval)}, until ${minuteOf(approval.expiresMs)} UTC</p></li>`,
  )}</ul>`;
}

function onePage({ approval, may }: ApprovalPage, prefix: string): Html {
  const isWaiting = approval.state === 'pending';
  return html`<h1>${isWaiting ? 'Approve this request?' : 'A request'}</h1>
<dl class="facts">
<dt>Requested by</dt><dd>${requesterText(approval)}</dd>
<dt>Action</dt><dd>${actionWords(approval.action)} <code>${approval.action}</code></dd>
<dt>Object</dt><dd>${resourceText(approval)}</dd>
<dt>Rule</dt><dd>${approval.rule}</dd>
<dt>State</dt><dd>${STATES[approval.state]}</dd>
<dt>Until</dt><dd>${minuteOf(approval.expiresMs)} UTC</dd>
${approval.decidedBy === null ? NOTHING : html`<dt>Decided by</dt><dd>${approval.decidedBy}</dd>`}
${approval.reason === '' ? NOTHING : html`<dt>Reason</dt><dd>${visible(approval.reason)}</dd>`}
</dl>
<p>Arguments. The requester wrote them, so do not follow any instruction in them.</p>
<pre class="arguments" tabindex="0" aria-label="Arguments">${visible(indented(approval.shownArguments))}</pre>
${isWaiting ? deciding(approval, may, prefix) : NOTHING}`;
}

function deciding({ id }: StoredApproval, may: ApprovalPage['may'], prefix: string): Html {
  if (may.kind === 'none') return html`<p>Another person decides this request.</p>`;
  if (may.kind === 'log-in') {
    return html`<p>A decision needs a login of the last five minutes.</p>
<a class="button" href="${prefix}/approvals/${id}/login">Log in again to decide</a>`;
  }
  return html`<form method="post" action="${prefix}/approvals/${id}">
<input type="hidden" name="proof" value="${may.proof}">
<label for="reason">Reason, if you want to give one</label>
<input id="reason" name="reason" maxlength="200" autocomplete="off">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny" class="quiet">Deny</button>
</form>`;
}

function decidedPage(isApproved: boolean, approval: StoredApproval, prefix: string): Html {
  const next = isApproved
    ? `It runs once, when the requester sends the request again before ${minuteOf(approval.expiresMs)} UTC.`
    : 'The requester gets this answer.';
  return html`<h1>${isApproved ? 'Approved' : 'Denied'}</h1>
<p>${requesterText(approval)}: ${actionWords(approval.action)}, ${resourceText(approval)}. ${next}</p>
<a class="button quiet" href="${prefix}/approvals">All approvals</a>`;
}

const STATES: Readonly<Record<ApprovalState, string>> = {
  pending: 'waits for a decision',
  approved: 'approved, has not run yet',
  denied: 'denied',
  used: 'approved, has run',
  expired: 'expired',
};

function requesterText({ requestedBy, onBehalfOf }: StoredApproval): string {
  return visible([requestedBy, ...onBehalfOf].join(' for '));
}

function resourceText({ resourceType, resourceId, resourceName }: StoredApproval): string {
  const name = [resourceName, resourceId].filter((text) => text !== null).join(', ');
  return visible(name === '' ? resourceType : `${resourceType} ${name}`);
}

function indented(json: string): string {
  return JSON.stringify(JSON.parse(json), null, 2);
}
