// Redirects to the login page, and stores the requested page on the server.
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { RouteParts } from './parts.ts';
import { safeReturnPath } from './return-path.ts';

/** A navigation without a session: the server stores the raw address, and the browser gets only a name for it. */
export async function redirectToLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  return reply
    .code(302)
    .header('location', await loginAddress(request, request.originalUrl, parts))
    .send();
}

/** Of the login page that leads to `raw` afterwards. `isFresh`: it asks a person with a session too. */
export async function loginAddress(request: FastifyRequest, raw: string, parts: RouteParts, { isFresh = false } = {}): Promise<string> {
  const query = [await keepReturnPath(request, raw, parts), isFresh ? 'again=1' : ''].filter((each) => each !== '').join('&');
  return `${parts.prefix}/login${query === '' ? '' : `?${query}`}`;
}

/** `attempt=ID`. Empty if there is no return address, or if the store fails: the login still works. */
async function keepReturnPath(request: FastifyRequest, raw: string, { config, store, log }: RouteParts): Promise<string> {
  const root = `${config.publicUrl.basePath}/`;
  const returnTo = safeReturnPath(raw, config.publicUrl.basePath);
  if (returnTo === root) return '';
  const id = randomBytes(16).toString('base64url');
  try {
    await store.loginAttempts.create({ id, returnTo, address: parseEdgeInputs(request.headers).address });
    return `attempt=${id}`;
  } catch (error) {
    log.error({ err: error }, 'a return address could not be stored');
    return '';
  }
}
