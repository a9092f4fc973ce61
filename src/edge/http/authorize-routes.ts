// /.lictor/oauth/authorize: a signed-in person allows a client to get an authorization code. Every login needs a click.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { redirectTarget } from '../../contract/redirect-uri.ts';
import { MCP_AUDIENCE } from '../../identity/authn/grant/verify.ts';
import type { AuthorizationRequest } from '../../identity/oauth/authorization-request.ts';
import type { OAuthClient } from '../../identity/oauth/clients.ts';
import { sendRefusalOrPage } from './answers.ts';
import { renderConsent } from './authorize-page.ts';
import { type Deciding, decideOnLogin, decidingSession, type FindWaiting, recordDecision, type WaitingLogin } from './client-login.ts';
import { redirectingFormHeaders } from './page-frame.ts';
import type { RouteParts } from './parts.ts';
import { LONGEST_RETURN } from './return-path.ts';
import { redirectToLogin } from './to-login.ts';

const FORM_BYTES = 16 * 1024;

export function registerAuthorize(app: FastifyInstance, parts: RouteParts): void {
  const url = `${parts.prefix}/oauth/authorize`;
  app.get(url, (request, reply) => showConsent(request, reply, parts));
  app.post(url, { bodyLimit: FORM_BYTES }, (request, reply) => decideOnClient(request, reply, parts));
  app.all(`${parts.prefix}/oauth/register`, (request, reply) => sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'registration-unsupported' }));
}

async function showConsent(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const refuse = (code: ReasonCode, detail?: string): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code, detail });
  // The way back from the login has this bound.
  if (request.url.length > LONGEST_RETURN) return refuse('request-invalid', 'The address is too long.');
  const person = await decidingSession(request, parts);
  // Also for a program: some clients try the address before they open it in a browser.
  if (person === undefined) return await redirectToLogin(request, reply, parts);
  const query = request.url.slice(request.url.indexOf('?') + 1);
  const read = await parts.authorizationServer.codeApproval.read(request.url.includes('?') ? query : '', person.session.principal.id);
  if (read.ok) return sendConsent(reply, { parts, ...person }, read);
  return read.location === undefined ? refuse(read.reason, read.detail) : reply.code(303).header('location', read.location).send();
}

type Person = Omit<Deciding, 'login'>;
interface Asked {
  readonly request: AuthorizationRequest;
  readonly client: OAuthClient;
}

function sendConsent(reply: FastifyReply, { parts, session, stored }: Person, { request, client }: Asked): FastifyReply {
  const { codeApproval, newGrants } = parts.authorizationServer;
  const page = renderConsent({
    name: session.principal.id,
    client: client.name,
    agent: client.agent ?? null,
    publishedBy: client.host,
    redirectUri: request.redirectUri,
    scopes: request.scopes,
    forAgents: request.audience === MCP_AUDIENCE,
    until: new Date(newGrants.latestEndMs(stored)),
    host: new URL(parts.config.publicUrl.origin).host,
    prefix: parts.prefix,
    request: codeApproval.seal(request, session.sessionId),
  });
  return reply
    .code(200)
    .headers(redirectingFormHeaders(redirectTarget(request.redirectUri)))
    .send(page);
}

async function decideOnClient(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  if (!parseEdgeInputs(request.headers).sameOrigin) return refuse('origin-foreign');
  const person = await decidingSession(request, parts);
  if (person === undefined) return refuse('session-expired');
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  const login = await findAuthorization(form.get('request') ?? '', person.session, parts);
  if (!('refuse' in login)) return await decideOnLogin(request, reply, { parts, login, ...person }, form.get('decision'));
  await recordDecision(request, { parts, ...person }, { action: 'authorize.allow', reason: login.refuse });
  return refuse(login.refuse);
}

export const findAuthorization: FindWaiting = async (sealed, { sessionId }, parts) => {
  const { codeApproval } = parts.authorizationServer;
  const asked = codeApproval.open(sealed, sessionId);
  if (asked === 'forged') return { refuse: 'origin-foreign' };
  return asked === 'expired' ? { refuse: 'authorization-expired' } : waitingForCode(sealed, asked, parts);
};

function waitingForCode(sealed: string, asked: AuthorizationRequest, { authorizationServer: { codeApproval } }: RouteParts): WaitingLogin {
  return {
    ...{ kind: 'authorize', key: sealed, asked, gone: 'authorization-expired' },
    async allow(reply, grant, offline) {
      const location = await codeApproval.allow(asked, grant, offline);
      return location === undefined ? undefined : reply.code(303).header('location', location).send();
    },
    deny: async (reply) => reply.code(303).header('location', codeApproval.deny(asked)).send(),
  };
}
