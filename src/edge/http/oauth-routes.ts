// The HTTP endpoints of the authorization server. All accept a form and answer in JSON.
import type { FastifyInstance } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { TokenEndpoint } from '../../identity/oauth/token-endpoint.ts';
import { sendRefusal } from './answers.ts';
import type { RouteParts } from './parts.ts';

const FORM_BYTES = 64 * 1024;

export function registerOAuth(app: FastifyInstance, parts: RouteParts): void {
  const { token, deviceAuthorization, revoke } = parts.authorizationServer;
  registerForm(app, `${parts.prefix}/oauth/token`, token);
  registerForm(app, `${parts.prefix}/oauth/device_authorization`, deviceAuthorization);
  registerForm(app, `${parts.prefix}/oauth/revoke`, revoke);
}

function registerForm(app: FastifyInstance, path: string, endpoint: TokenEndpoint): void {
  app.post(path, { bodyLimit: FORM_BYTES }, async (request, reply) => {
    const { requestId, address, foreignOrigin } = parseEdgeInputs(request.headers);
    // Before the limit counts it, because any page can send a form from the address of its visitor.
    if (foreignOrigin === true) return sendRefusal(request, reply, 'origin-foreign');
    const answer = await endpoint({
      contentType: request.headers['content-type'] ?? '',
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      address,
      requestId,
      userAgent: request.headers['user-agent'] ?? null,
      path,
    });
    return reply.code(answer.status).headers(answer.headers).type('application/json').send(JSON.stringify(answer.body));
  });
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE'],
    url: path,
    handler: (request, reply) => sendRefusal(request, reply.header('allow', 'POST'), 'method-not-allowed'),
  });
}
