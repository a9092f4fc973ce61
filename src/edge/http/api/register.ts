// Serves the table of routes: authenticates, decides, checks changes, reads the input, records, answers.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authorization } from '../../../authorization/decide/decider.ts';
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import { LictorError } from '../../../contract/error.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { NO_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import { sendRefusalOrPage } from '../answers.ts';
import type { RouteParts } from '../parts.ts';
import { type Allowed, type ApiRoute, actionOf, type CallContext, isWrite, type Need, type Result } from './api-route.ts';
import { openApiRoute } from './openapi.ts';
import { readInput } from './read-input.ts';
import { authorizeReading, type Reading } from './reading.ts';
import { recordAnswer, recordChange } from './records.ts';
import { API_ROUTES } from './routes.ts';
import { objectionToRead, objectionToWrite } from './writes.ts';

/** `routes`: others only in tests. */
export function registerApi(app: FastifyInstance, parts: RouteParts, routes: readonly ApiRoute[] = API_ROUTES): void {
  for (const route of [...routes, openApiRoute(routes)]) {
    const url = `${parts.prefix}/api/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    // Without HEAD: a stream would go on without a reader, and hold its place.
    const limits = { bodyLimit: route.bodyLimit, exposeHeadRoute: false };
    app.route({ method: route.method, url, ...limits, handler: (request, reply) => answer(route, request, reply, parts) });
  }
}

async function answer(route: ApiRoute, request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const inputs = parseEdgeInputs(request.headers);
  const { authorization, reader, resourceType } = await authorize(route.needs, inputs, parts);
  // A principal without the right learns nothing about the input.
  const result = authorization.ok
    ? await runRoute(route, { request, inputs, authorization, reader }, parts)
    : ({ ok: false, code: authorization.reason, detail: authorization.detail } as const);
  const action = actionOf(route.needs);
  const recordedAs = route.refusalsAs ?? (action === undefined ? undefined : { action, resourceType });
  const hasRecord = isWrite(route) && result.ok;
  if (recordedAs !== undefined && !hasRecord) await recordAnswer(request, { authorization, ...recordedAs, refused: result.ok ? null : result.code }, parts);
  if (!result.ok) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: result.code, detail: result.detail });
  return 'send' in result ? result.send(reply) : reply.type('application/json; charset=utf-8').send(JSON.stringify(result.body));
}

async function authorize(needs: Need, inputs: EdgeInputs, { decider, authenticator }: RouteParts): Promise<Reading> {
  if (needs === 'records') return authorizeReading(inputs, decider);
  return {
    authorization: needs === 'credential' ? await authenticate(inputs, authenticator) : await decider.authorizeOwn(inputs, needs.action, needs.type),
    reader: NO_RECORD,
    resourceType: needs === 'credential' ? 'System' : (needs.type ?? 'System'),
  };
}

async function authenticate(inputs: EdgeInputs, authenticator: RouteParts['authenticator']): Promise<Authorization> {
  const verdict = await authenticator.authenticate(inputs);
  if (!verdict.ok) return { ...verdict, principal: null, credential: null, decisions: [] };
  return { ok: true, principal: verdict.principal, credential: verdict.credential, decisions: [], restrictions: [], entities: [] };
}

interface Authorized {
  readonly request: FastifyRequest;
  readonly inputs: EdgeInputs;
  readonly authorization: Allowed;
  readonly reader: RecordReader;
}

async function runRoute(route: ApiRoute, { request, inputs, authorization, reader }: Authorized, parts: RouteParts): Promise<Result<unknown>> {
  const objection: ReasonCode | undefined = isWrite(route)
    ? await objectionToWrite({ request, authorization }, parts)
    : objectionToRead(route, { inputs, authorization });
  if (objection !== undefined) return { ok: false, code: objection };
  const input = readInput(request, route);
  if (!input.ok) return input;
  let recorded = 0;
  const record: CallContext['record'] = async (change) => {
    recorded += 1;
    return recordChange(request, authorization, change, parts);
  };
  const result = await route.run(input, { request, inputs, authorization, reader, parts, record });
  if (isWrite(route) && result.ok && recorded === 0)
    throw new LictorError('change-unrecorded', `${route.method} ${route.path} has changed something without a record.`);
  return result;
}
