// /.lictor/scim/v2: the token names the identity provider. No session, no other credential of Lictor is taken here.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createFailures } from '../../identity/authn/failures.ts';
import { hashToken, isSameHash } from '../../identity/authn/service-token/token-text.ts';
import { errorBody, ScimError } from '../../identity/scim/error.ts';
import type { ScimAnswer } from '../../identity/scim/request.ts';
import type { RouteParts } from './parts.ts';
import { makeItHold } from './session-records.ts';

/** The same limit as in nginx (scim.conf). */
const SCIM_BYTES = 4 * 1024 * 1024;
const TYPE = 'application/scim+json; charset=utf-8';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Without `scim` in lictor.yaml there is no such path. */
export function registerScim(app: FastifyInstance, parts: RouteParts): void {
  const { config, prefix, steady, log } = parts;
  if (config.scim.length === 0) return;
  const tenants = config.scim.map(({ idp, token }) => ({ idp, hash: hashToken(token ?? '') }));
  const failures = createFailures(steady, (address) => log.warn({ address }, 'many failed credentials for SCIM'));
  app.route({
    method: [...METHODS],
    url: `${prefix}/scim/v2/*`,
    bodyLimit: SCIM_BYTES,
    exposeHeadRoute: false,
    errorHandler: (error, _request, reply) => {
      const { statusCode = 500 } = error;
      if (statusCode >= 500) log.error({ err: error }, 'a SCIM request could not be answered');
      return sendError(reply, statusCode < 500 ? new ScimError(statusCode, 'The request cannot be read.') : unavailable());
    },
    handler: async (request, reply) => {
      const { authorization, address } = parseEdgeInputs(request.headers);
      const idp = tenantOf(authorization, tenants);
      if (idp === undefined) return refuse(reply, authorization === '' ? 'credential-missing' : failures.reasonFor('credential-unknown', address));
      return await answer(request, reply, { idp, parts });
    },
  });
}

/** Compares with every token, in constant time. */
function tenantOf(authorization: string, tenants: readonly { readonly idp: string; readonly hash: string }[]): string | undefined {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined) return undefined;
  const hash = hashToken(token);
  return tenants.filter((tenant) => isSameHash(tenant.hash, hash))[0]?.idp;
}

interface Answering {
  readonly idp: string;
  readonly parts: RouteParts;
}

async function answer(request: FastifyRequest, reply: FastifyReply, { idp, parts }: Answering): Promise<FastifyReply> {
  const { config, store, prefix, checks } = parts;
  const url = new URL(request.url, 'http://lictor.invalid');
  const writes = request.method !== 'GET' && !url.pathname.endsWith('/.search');
  if (writes && config.ledger.failClosed && (await checks['ledger']?.()) === false) return sendError(reply, unavailable());
  const before = await store.changeNumber();
  const { answerScim } = await import('../../identity/scim/endpoint.ts');
  const given = await answerScim(
    { store: store.scim, base: `${config.publicUrl.origin}${prefix}/scim/v2` },
    {
      idp,
      method: request.method,
      path: url.pathname.slice(`${prefix}/scim/v2/`.length),
      query: url.searchParams,
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    },
  );
  // A round takes half a second. Most users that a provider sends have not logged in, so that no decision is about them.
  if ((await store.changeNumber()) !== before) await makeItHold(parts);
  if (writes) await recordChange(request, { idp, parts }, given);
  if (given.location !== undefined) reply.header('location', given.location);
  reply.code(given.status).type(TYPE);
  return given.body === null ? reply.send() : reply.send(JSON.stringify(given.body));
}

/** The change is made: a record that cannot be written is logged. While the ledger is known to fail, changes are refused. */
async function recordChange(request: FastifyRequest, { idp, parts }: Answering, { status, change }: ScimAnswer): Promise<void> {
  const inputs = parseEdgeInputs(request.headers);
  const record: NewRecord = {
    time: new Date(parts.clock()).toISOString(),
    request_id: inputs.requestId === '' ? null : inputs.requestId,
    ...{ principal: `scim:${idp}`, principal_kind: 'service', idp, credential_id: `scim:${idp}` },
    source_ip: inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.method,
    path: request.url.split('?', 1)[0] ?? null,
    action: change?.action ?? 'scim.refused',
    ...(change !== undefined && { resource_type: change.action.startsWith('scim.users') ? 'ScimUser' : 'ScimGroup', resource_id: change.id }),
    ...{ decision: change === undefined ? 'deny' : 'allow', reason: change === undefined ? 'request-invalid' : null },
    ...{ status, mode: 'enforce', revision: parts.revision },
  };
  await parts.ledger.append(record).catch((error: unknown) => parts.log.error({ err: error }, 'a change by SCIM could not be recorded'));
}

function refuse(reply: FastifyReply, code: ReasonCode): FastifyReply {
  const { status, detail } = REASONS[code];
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="lictor-scim"');
  return sendError(status === 429 ? reply.header('retry-after', '60') : reply, new ScimError(status, detail));
}

function unavailable(): ScimError {
  return new ScimError(503, 'The gateway cannot make the change now. Try again.');
}

function sendError(reply: FastifyReply, error: ScimError): FastifyReply {
  if (error.status === 503) reply.header('retry-after', '2');
  return reply
    .code(error.status)
    .type(TYPE)
    .send(JSON.stringify(errorBody(error)));
}
