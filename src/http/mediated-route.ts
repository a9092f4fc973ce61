// Mediated requests: from HTTP to the mediator and back. The body stays bytes: the mediator alone parses it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../decide/inputs.ts';
import type { Mediator } from '../mediate/mediator.ts';

/** As nginx lets through. */
export const MEDIATED_BYTES = 16 * 1024 * 1024;

export async function mediate(request: FastifyRequest, reply: FastifyReply, mediator: Mediator): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const answer = await mediator.handle({ inputs: parseEdgeInputs(request.headers), headers: singleHeaders(request), body });
  reply.code(answer.status).headers(answer.headers);
  return reply.send(answer.status === 204 || answer.status === 304 ? undefined : answer.body);
}

/** nginx sends each header of its allow-list once; what Node has as a list is left out. */
function singleHeaders(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
