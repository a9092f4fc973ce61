// The token endpoint over HTTP.
import type { FastifyInstance } from 'fastify';
import { parseEdgeInputs } from '../decide/inputs.ts';
import { sendRefusal } from './answers.ts';
import type { RouteParts } from './parts.ts';

const FORM_BYTES = 64 * 1024;

export function registerOAuth(app: FastifyInstance, parts: RouteParts): void {
  const path = `${parts.prefix}/oauth/token`;
  app.post(path, { bodyLimit: FORM_BYTES }, async (request, reply) => {
    const { requestId, address } = parseEdgeInputs(request.headers);
    const answer = await parts.tokenEndpoint({
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
