// Logging out: a page that asks, and the form that does it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../decide/inputs.ts';
import { sendPage, sendRefusalOrPage } from './answers.ts';
import { sessionPrincipal } from './login-routes.ts';
import type { RouteParts } from './parts.ts';
import { expiredSessionCookie } from './session-cookie.ts';
import { makeItHold, recordAnyway } from './session-records.ts';

export function registerLogout(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/logout`, async (request, reply) => {
    const principal = await sessionPrincipal(request, parts);
    return sendPage(reply, parts.pages, { status: 200, html: principal === undefined ? parts.pages.loggedOut() : parts.pages.confirmLogout(principal.id) });
  });
  app.post(`${parts.prefix}/logout`, (request, reply) => logout(request, reply, parts));
}

/** The session is over on the server whatever the browser does with its cookie; what it has kept of Prefect's pages goes too. */
async function logout(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const inputs = parseEdgeInputs(request.headers);
  if (!inputs.sameOrigin) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'origin-foreign' });
  const principal = await sessionPrincipal(request, parts);
  const ended = await parts.people.sessions.end(inputs.session);
  if (ended) await makeItHold(parts);
  if (ended) await recordAnyway(request, { action: 'session.logout', reason: null, status: 200, principalId: principal?.id ?? null }, parts);
  reply.header('set-cookie', expiredSessionCookie(parts.config.publicUrl)).header('clear-site-data', '"cache"');
  return sendPage(reply, parts.pages, { status: 200, html: parts.pages.loggedOut() });
}
