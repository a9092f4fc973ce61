// Answers of the control plane: request id and safe headers on every answer, rejections as a page or as JSON.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';
import type { Pages } from './pages.ts';

/** On every answer that the gateway creates itself. */
export const OWN_HEADERS: Readonly<Record<string, string>> = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const RETRY_SECONDS = '2';
/** For 401. Never Basic, because a browser would show a password prompt. */
const CHALLENGE = 'Bearer realm="lictor"';

/** The browser shows the answer: to a navigation, or to a form of the gateway. */
export function wantsPage(request: FastifyRequest): boolean {
  return request.headers['sec-fetch-mode'] === 'navigate' || request.headers.accept?.includes('text/html') === true;
}

export function sendPage(reply: FastifyReply, pages: Pages, page: { readonly status: number; readonly html: string }): FastifyReply {
  return reply.code(page.status).headers(pages.headers).send(page.html);
}

export function sendRefusal(request: FastifyRequest, reply: FastifyReply, code: ReasonCode, detail?: string): FastifyReply {
  const { status } = REASONS[code];
  if (status === 401) reply.header('www-authenticate', CHALLENGE);
  if (status === 503 || status === 429) reply.header('retry-after', RETRY_SECONDS);
  return reply
    .code(status)
    .type('application/json')
    .send(JSON.stringify(refusalBody(code, parseEdgeInputs(request.headers).requestId, detail)));
}

/** The same, as a page if a browser shows it. */
export function sendRefusalOrPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { pages, code, detail }: { readonly pages: Pages; readonly code: ReasonCode; readonly detail?: string | undefined },
): FastifyReply {
  if (!wantsPage(request)) return sendRefusal(request, reply, code, detail);
  const { status, hint, ...words } = REASONS[code];
  if (status === 401) reply.header('www-authenticate', CHALLENGE);
  if (status === 503) reply.header('retry-after', RETRY_SECONDS);
  const { requestId } = parseEdgeInputs(request.headers);
  return sendPage(reply, pages, { status, html: pages.message({ title: 'That did not work', text: detail ?? words.detail, hint, code, requestId }) });
}
