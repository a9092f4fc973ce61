// Passes mediated requests from HTTP to the mediator, and the answers back. Only the mediator parses the body.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { OWN_HEADERS, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import type { RouteParts } from './parts.ts';

/** The same limit as in nginx. */
export const MEDIATED_BYTES = 16 * 1024 * 1024;

/** In a separate scope, which does not read bodies: the mediator does. */
export function takeLateBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, stream, done) => done(null, stream));
}

export async function mediate(
  request: FastifyRequest,
  reply: FastifyReply,
  { mediator, pages }: Pick<RouteParts, 'mediator' | 'pages'>,
): Promise<FastifyReply> {
  const { body: stream } = request;
  // nginx declares the length of a body. A body without a declared length counts as the largest.
  const length = Number(request.headers['content-length'] ?? MEDIATED_BYTES);
  if (stream instanceof Readable && length > MEDIATED_BYTES) return sendRefusal(request, reply, 'body-too-large');
  const body = stream instanceof Readable ? { length, read: () => buffer(stream) } : Buffer.alloc(0);
  const answer = await mediator.handle({ inputs: parseEdgeInputs(request.headers), headers: singleHeaders(request), body });
  reply.code(answer.status).headers(answer.headers);
  // A navigation gets a page. A write gets JSON, with any Accept header.
  const isOpened = request.method === 'GET' && wantsPage(request);
  if (answer.refusal !== undefined && isOpened) return sendRefusalOrPage(request, reply.headers(OWN_HEADERS), { pages, ...answer.refusal });
  return reply.send(answer.status === 204 || answer.status === 304 ? undefined : answer.body);
}

/** nginx sends each header of its allow-list once, so this omits headers that Node has as a list. */
export function singleHeaders(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
