// /.lictor/approvals: a signed-in person decides about waiting requests. Every decision needs a recent login and a click.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Approver } from '../../authorization/approvals/desk.ts';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import { type ApprovalPages, createApprovalPages } from './approval-pages.ts';
import type { RouteParts } from './parts.ts';
import { sessionOf } from './session-of.ts';
import { recordAnyway, sessionRecord } from './session-records.ts';
import { loginAddress, redirectToLogin } from './to-login.ts';

const FORM_BYTES = 16 * 1024;
const LONGEST_REASON = 200;

type ById = FastifyRequest<{ Params: { readonly id: string } }>;

export function registerApprovals(app: FastifyInstance, parts: RouteParts): void {
  const url = `${parts.prefix}/approvals`;
  app.get(url, (request, reply) => showList(request, reply, parts));
  app.get(`${url}/:id`, (request: ById, reply) => showOne(request, reply, parts));
  app.get(`${url}/:id/login`, (request: ById, reply) => logInAgain(request, reply, parts));
  app.post(`${url}/:id`, { bodyLimit: FORM_BYTES }, (request: ById, reply) => decide(request, reply, parts));
}

async function approverOf(request: FastifyRequest, parts: RouteParts): Promise<Approver | undefined> {
  const session = await sessionOf(request, parts);
  const stored = session === undefined ? undefined : await parts.store.sessions.byId(session.sessionId);
  return session === undefined || stored === undefined ? undefined : { ...session, authenticatedMs: stored.authenticatedMs };
}

/** A program gets no redirect: it has no part in approvals. */
async function sendToLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  return wantsPage(request) ? await redirectToLogin(request, reply, parts) : sendRefusal(request, reply, 'credential-missing');
}

async function showList(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const approver = await approverOf(request, parts);
  if (approver === undefined) return await sendToLogin(request, reply, parts);
  const { principal } = approver;
  const html = pagesOf(parts).list({ name: principal.id, waiting: await parts.approvals.waitingFor(principal) });
  return sendPage(reply, parts.pages, { status: 200, html });
}

async function showOne(request: ById, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const approver = await approverOf(request, parts);
  if (approver === undefined) return await sendToLogin(request, reply, parts);
  const { approvals } = parts;
  const approval = await approvals.find(request.params.id, approver.principal);
  if (approval === undefined) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'approval-unknown' });
  const proof = approvals.proofFor(approval, approver.sessionId);
  const objection = approvals.objection(approval, approver, proof);
  const may = objection === undefined ? ({ kind: 'decide', proof } as const) : ({ kind: objection === 'login-not-recent' ? 'log-in' : 'none' } as const);
  return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).one({ name: approver.principal.id, approval, may }) });
}

async function logInAgain(request: ById, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const address = await loginAddress(request, `${parts.prefix}/approvals/${request.params.id}`, parts, { isFresh: true });
  return reply.code(303).header('location', address).send();
}

async function decide(request: ById, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  if (!parseEdgeInputs(request.headers).sameOrigin) return refuse('origin-foreign');
  const approver = await approverOf(request, parts);
  if (approver === undefined) return refuse('session-expired');
  const approval = await parts.approvals.find(request.params.id, approver.principal);
  if (approval === undefined) return refuse('approval-unknown');
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  const isApproved = form.get('decision') === 'approve';
  if (!isApproved && form.get('decision') !== 'deny') return refuse('request-invalid');
  const event = { parts, approver, approvalId: approval.id, isApproved };
  const objection = parts.approvals.objection(approval, approver, form.get('proof') ?? '');
  if (objection !== undefined) {
    await recordAnyway(request, eventOf({ ...event, reason: objection }), parts);
    return refuse(objection);
  }
  if (!(await isRecorded(request, event))) return refuse('ledger-unavailable');
  const reason = (form.get('reason') ?? '').slice(0, LONGEST_REASON);
  if (!(await parts.approvals.decide(approval, { isApproved, decidedBy: approver.principal.id, reason }))) return refuse('approval-over');
  return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).decided({ name: approver.principal.id, isApproved, approval }) });
}

interface Deciding {
  readonly parts: RouteParts;
  readonly approver: Approver;
  readonly approvalId: string;
  readonly isApproved: boolean;
  /** Why it was refused; left out: it was not. */
  readonly reason?: ReasonCode;
}

/** Before the decision takes effect. */
async function isRecorded(request: FastifyRequest, event: Deciding): Promise<boolean> {
  const { parts } = event;
  try {
    await parts.ledger.append(sessionRecord(request, eventOf(event), parts));
    return true;
  } catch (error) {
    parts.log.error({ err: error }, 'a decision on an approval could not be recorded');
    return !parts.config.ledger.failClosed;
  }
}

function eventOf({ approver: { principal, sessionId }, approvalId, isApproved, reason = undefined }: Deciding) {
  const status = reason === undefined ? 200 : REASONS[reason].status;
  const action = isApproved ? ('approval.approve' as const) : ('approval.deny' as const);
  return { action, reason: reason ?? null, status, principalId: principal.id, idp: principal.idp, sessionId, approvalId };
}

function pagesOf({ prefix }: RouteParts): ApprovalPages {
  return createApprovalPages(prefix);
}
