// Mediated requests: from HTTP to the mediator and back. The body stays bytes: the mediator alone parses it.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../decide/inputs.ts';
import type { Mediator } from '../mediate/mediator.ts';
import { sendRefusal } from './answers.ts';

/** As nginx lets through. */
export const MEDIATED_BYTES = 16 * 1024 * 1024;

/** In a scope of its own: here bodies stay where they are until the mediator reads them. */
export function takeLateBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, stream, done) => done(null, stream));
}

export async function mediate(request: FastifyRequest, reply: FastifyReply, mediator: Mediator): Promise<FastifyReply> {
  const { body: stream } = request;
  // nginx says how long a body is; a body that does not say it counts as one of the largest.
  const length = Number(request.headers['content-length'] ?? MEDIATED_BYTES);
  if (stream instanceof Readable && length > MEDIATED_BYTES) return sendRefusal(request, reply, 'body-too-large');
  const body = stream instanceof Readable ? { length, read: () => buffer(stream) } : Buffer.alloc(0);
  const answer = await mediator.handle({ inputs: parseEdgeInputs(request.headers), headers: singleHeaders(request), body });
  reply.code(answer.status).headers(answer.headers);
  return reply.send(answer.status === 204 || answer.status === 304 ? undefined : answer.body);
}

/** nginx sends each header of its allow-list once; what Node has as a list is left out. */
function singleHeaders(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
