// The endpoint for agents, from HTTP: POST only, with its own limit for bodies.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { MCP_BYTES } from '../mcp/endpoint.ts';
import { sendRefusal } from './answers.ts';
import { singleHeaders } from './mediated-route.ts';
import type { RouteParts } from './parts.ts';

export function registerMcp(app: FastifyInstance, { prefix, mcp }: RouteParts): void {
  const url = `${prefix}/mcp`;
  app.post(url, { bodyLimit: MCP_BYTES }, async (request, reply) => {
    const answer = await mcp.handle({ inputs: parseEdgeInputs(request.headers), headers: singleHeaders(request), body: bodyOf(request), path: url });
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE'],
    url,
    handler: (request, reply) => sendRefusal(request, reply.header('allow', 'POST'), 'method-not-allowed'),
  });
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
