// The HTTP app of the control plane on control.sock: the gateway's pages, rejected navigations, mediated requests.
import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { LictorError } from '../../contract/error.ts';
import { INPUT, OWN_PREFIX } from '../../contract/names.ts';
import { isReasonCode, type ReasonCode } from '../../contract/reasons.ts';
import { createPeople } from '../../identity/authn/accounts/people.ts';
import { createExternalLogins } from '../../identity/authn/external/login.ts';
import { lockOnAddress } from '../../identity/authn/locks.ts';
import { OWN_HEADERS, sendRefusal, sendRefusalOrPage } from './answers.ts';
import type { ApiRoute } from './api/api-route.ts';
import { registerApi } from './api/register.ts';
import { createStreams } from './api/streams.ts';
import { registerApprovals } from './approval-routes.ts';
import { registerAuthorize } from './authorize-routes.ts';
import { renderBarScript } from './bar-script.ts';
import { registerConsole } from './console-routes.ts';
import { registerDevice } from './device-routes.ts';
import { renderExpiredScript } from './expired-script.ts';
import { registerLogin } from './login-routes.ts';
import { registerLogout } from './logout-routes.ts';
import { registerMcp } from './mcp-route.ts';
import { MEDIATED_BYTES, mediate, takeLateBodies } from './mediated-route.ts';
import { registerOAuth } from './oauth-routes.ts';
import { createPages } from './pages.ts';
import type { OwnAppParts, RouteParts } from './parts.ts';
import { registerCallback } from './provider-routes.ts';
import { registerSaml } from './saml-routes.ts';
import { registerScim } from './scim-route.ts';
import { registerStatus } from './status-routes.ts';
import { redirectToLogin } from './to-login.ts';
import { registerWellKnown } from './well-known-routes.ts';

export type { OwnAppParts } from './parts.ts';

/** The header with which nginx marks a rejected navigation. */
const PURPOSE = 'x-lictor-in-purpose';

/** Internal routes for requests that a header identifies. No request of a client has such a path here. */
const ROUTE = { mediated: '/-/mediated', login: '/-/login' } as const;

/** nginx's limit for all header lines is 32 KiB, and the INPUT headers repeat some. */
export const HEADER_BYTES = 256 * 1024;

/** It does not listen: the control server passes requests to it. It trusts only the INPUT headers, which nginx sets. `apiRoutes`: others only in tests. */
export function createOwnApp(parts: OwnAppParts, apiRoutes?: readonly ApiRoute[]): FastifyInstance {
  const prefix = `${parts.config.publicUrl.basePath}${OWN_PREFIX.slice(0, -1)}`;
  const { origin, basePath } = parts.config.publicUrl;
  const pages = createPages({ host: new URL(origin).host, prefix, home: `${basePath}/` });
  const people = createPeople(parts);
  const routeParts: RouteParts = {
    ...parts,
    people,
    logins: createExternalLogins({ ...parts, sessions: people.sessions }),
    pages,
    prefix,
    streams: createStreams(),
  };
  const app = Fastify({ logger: false, bodyLimit: MEDIATED_BYTES, http: { maxHeaderSize: HEADER_BYTES }, rewriteUrl: routeOf, keepAliveTimeout: 120_000 });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', headerText(request.headers[INPUT.requestId]));
    if (request.url !== ROUTE.mediated) reply.headers(OWN_HEADERS);
    if (await isShutOut(request, routeParts)) return sendRefusalOrPage(request, reply, { pages, code: 'locked' });
  });
  // A person who mistypes an address gets a page. Every other unknown request gets JSON.
  app.setNotFoundHandler((request, reply) =>
    request.method === 'GET' && request.url.startsWith(`${prefix}/`)
      ? sendRefusalOrPage(request, reply, { pages, code: 'not-found' })
      : sendRefusal(request, reply, 'not-found'),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => answerError(error, request, reply, routeParts));

  app.register(async (scope) => {
    takeLateBodies(scope);
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: ROUTE.mediated,
      exposeHeadRoute: false,
      handler: (request, reply) => (isMediated(request.raw) ? mediate(request, reply, routeParts) : sendRefusal(request, reply, 'not-found')),
    });
  });
  app.all(ROUTE.login, (request, reply) =>
    isLoginNeeded(request.raw) ? redirectToLogin(request, reply, routeParts) : sendRefusal(request, reply, 'not-found'),
  );
  registerStatus(app, routeParts);
  registerApi(app, routeParts, apiRoutes);
  registerLogin(app, routeParts);
  registerCallback(app, routeParts);
  registerLogout(app, routeParts);
  registerSaml(app, routeParts);
  registerMcp(app, routeParts);
  registerOAuth(app, routeParts);
  registerAuthorize(app, routeParts);
  registerDevice(app, routeParts);
  registerApprovals(app, routeParts);
  registerScim(app, routeParts);
  registerConsole(app, routeParts, parts.console);
  registerWellKnown(app, routeParts);
  registerScripts(app, prefix);
  return app;
}

/** The scripts that nginx adds to Prefect's pages. */
function registerScripts(app: FastifyInstance, prefix: string): void {
  const scripts = {
    expired: renderExpiredScript(`${prefix}/login`),
    bar: renderBarScript({ me: `${prefix}/api/v1/me`, account: `${prefix}/`, console: `${prefix}/console/`, logout: `${prefix}/logout` }),
  };
  for (const [name, script] of Object.entries(scripts))
    app.get(`${prefix}/${name}.js`, (_request, reply) => reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(script));
}

/** A locked address gets no page. Health checks still get an answer, and the decision rejects a mediated request and one of MCP. */
async function isShutOut(request: FastifyRequest, { prefix, store }: RouteParts): Promise<boolean> {
  if ([ROUTE.mediated, `${prefix}/health`, `${prefix}/ready`, `${prefix}/mcp`].includes(request.url)) return false;
  return (await lockOnAddress(store.locks, parseEdgeInputs(request.headers).address)) !== undefined;
}

/** Only nginx's headers identify a mediated request, never its path. */
function routeOf(request: IncomingMessage): string {
  if (isMediated(request)) return ROUTE.mediated;
  return isLoginNeeded(request) ? ROUTE.login : (request.url ?? '/');
}

function isMediated(request: IncomingMessage): boolean {
  return headerText(request.headers[INPUT.operation]) !== '' && !isLoginNeeded(request);
}

function isLoginNeeded(request: IncomingMessage): boolean {
  return request.headers[PURPOSE] === 'login';
}

function headerText(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Never a 500: an unknown error is an outage, and the log has its cause. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, parts: RouteParts): FastifyReply {
  const code = reasonOf(error);
  if (code === 'gateway-unavailable') parts.log.error({ err: error }, 'a request could not be answered');
  // The mediator reports errors that it knows. For this one, it is unknown whether a request reached Prefect.
  if (request.url === ROUTE.mediated) return sendRefusal(request, reply, code === 'gateway-unavailable' ? 'outcome-unknown' : code);
  return sendRefusalOrPage(request, reply, { pages: parts.pages, code });
}

function reasonOf(error: FastifyError): ReasonCode {
  if (error instanceof LictorError && isReasonCode(error.code)) return error.code;
  if (error.statusCode === 413) return 'body-too-large';
  if (error.statusCode === 415) return 'content-type-unsupported';
  return error.statusCode !== undefined && error.statusCode < 500 ? 'request-invalid' : 'gateway-unavailable';
}
