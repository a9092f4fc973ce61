// /.lictor/device: a signed-in person allows the login of a command line by its code (RFC 8628 3.3). Every login needs a click.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { StoredDeviceCode } from '../../store/device-codes.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import { decideOnLogin, decidingSession, type FindWaiting, recordDecision, type WaitingLogin } from './client-login.ts';
import { createDevicePages, type DevicePages } from './device-pages.ts';
import { freeFormHeaders } from './page-frame.ts';
import type { RouteParts } from './parts.ts';
import { type OwnSession, sessionOf } from './session-of.ts';
import { redirectToLogin } from './to-login.ts';

const FORM_BYTES = 16 * 1024;

export function registerDevice(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/device`, (request, reply) => showDevice(request, reply, parts));
  app.post(`${parts.prefix}/device`, { bodyLimit: FORM_BYTES }, (request, reply) => decideOnDevice(request, reply, parts));
}

async function showDevice(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const session = await sessionOf(request, parts);
  if (session === undefined && !wantsPage(request)) return sendRefusal(request, reply, 'credential-missing');
  if (session === undefined) return await redirectToLogin(request, reply, parts);
  const { approval } = parts.authorizationServer;
  const name = session.principal.id;
  const typed = new URLSearchParams(request.url.split('?')[1] ?? '').get('user_code') ?? '';
  if (typed === '') return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).enter({ name, typed, problem: null }) });
  const found = await approval.find(typed.slice(0, 20), { principalId: name, address: parseEdgeInputs(request.headers).address });
  if ('refuse' in found) {
    const { status, detail, hint } = REASONS[found.refuse];
    if (status === 429) reply.header('retry-after', '60');
    return sendPage(reply, parts.pages, { status, html: pagesOf(parts).enter({ name, typed: typed.slice(0, 20), problem: `${detail} ${hint}` }) });
  }
  const { code, userCode } = found;
  const html = pagesOf(parts).confirm({
    name,
    client: approval.clientName(code.clientId),
    userCode,
    scopes: code.scopes,
    elsewhere: code.audience === 'mcp' ? 'the interface for agents (MCP), and nowhere else' : null,
    address: code.address,
    secondsAgo: Math.max(0, Math.floor((parts.clock() - code.createdMs) / 1000)),
    fields: { device: code.id, proof: approval.proofFor(code, session.sessionId) },
  });
  // Browsers also check redirects after a form against the policy, and a click may lead to the identity provider.
  return reply.code(200).headers(freeFormHeaders()).send(html);
}

async function decideOnDevice(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const { approval } = parts.authorizationServer;
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  if (!parseEdgeInputs(request.headers).sameOrigin) return refuse('origin-foreign');
  const person = await decidingSession(request, parts);
  if (person === undefined) return refuse('session-expired');
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  const code = await approval.byId(form.get('device') ?? '');
  if (code === undefined) return refuse('device-unknown');
  if (!approval.isProof(form.get('proof') ?? '', code, person.session.sessionId)) {
    await recordDecision(request, { parts, ...person }, { action: 'device.allow', reason: 'origin-foreign' });
    return refuse('origin-foreign');
  }
  return await decideOnLogin(request, reply, { parts, login: waitingDevice(code, person.session, parts), ...person }, form.get('decision'));
}

export const findDevice: FindWaiting = async (id, session, parts) => {
  const code = await parts.authorizationServer.approval.byId(id);
  return code === undefined ? { refuse: 'device-unknown' } : waitingDevice(code, session, parts);
};

function waitingDevice(code: StoredDeviceCode, session: OwnSession, parts: RouteParts): WaitingLogin {
  const { approval } = parts.authorizationServer;
  return {
    ...{ kind: 'device', key: code.id, asked: code, gone: 'device-unknown' },
    async allow(reply, grant, offline) {
      if (!(await approval.allow(code, grant, offline))) return undefined;
      const page = pagesOf(parts).allowed({
        client: approval.clientName(code.clientId),
        name: session.principal.id,
        until: new Date(grant.expiresMs),
        withSession: grant.sessionId === null ? null : session.principal.idp,
      });
      return sendPage(reply, parts.pages, { status: 200, html: page });
    },
    async deny(reply) {
      await approval.deny(code);
      return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).refused() });
    },
  };
}

function pagesOf({ config, prefix }: RouteParts): DevicePages {
  return createDevicePages({ host: new URL(config.publicUrl.origin).host, prefix });
}
