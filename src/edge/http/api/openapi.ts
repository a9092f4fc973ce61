// The OpenAPI document of the admin API, made from the table of its routes.
import { z } from 'zod';
import { REASONS } from '../../../contract/reasons.ts';
import { type ApiRoute, actionOf, apiRoute, isWrite } from './api-route.ts';
import { CSRF_HEADER } from './writes.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document is the same for every reader: it holds no data. */
export function openApiRoute(routes: readonly ApiRoute[]): ApiRoute {
  let document: Json | undefined;
  return apiRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'Show this document',
    needs: 'credential',
    answer: z.looseObject({}),
    async handle() {
      document ??= openApiDocument(routes);
      return { ok: true, body: document };
    },
  });
}

export function openApiDocument(routes: readonly ApiRoute[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  const shared: Record<string, unknown> = { Refusal: REFUSAL };
  const hoisted = hoistDefinitions(paths, shared);
  return {
    openapi: '3.1.0',
    info: { title: 'Lictor admin API', version: '1', description: DESCRIPTION },
    servers: [{ url: '/.lictor/api/v1' }],
    paths: hoisted,
    components: { schemas: shared, securitySchemes: SECURITY },
    security: Object.keys(SECURITY).map((name) => ({ [name]: [] })),
  };
}

/** zod puts named shapes beside the schema that uses them; a reference in this document begins at its root. */
function hoistDefinitions(node: unknown, shared: Record<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((each) => hoistDefinitions(each, shared));
  if (typeof node !== 'object' || node === null) return node;
  const { $defs, ...others } = node as Json;
  for (const [name, shape] of Object.entries($defs ?? {})) shared[name] = hoistDefinitions(shape, shared);
  return Object.fromEntries(
    Object.entries(others).map(([key, value]) =>
      key === '$ref' ? [key, String(value).replace('#/$defs/', '#/components/schemas/')] : [key, hoistDefinitions(value, shared)],
    ),
  );
}

const DESCRIPTION = [
  'Reads need a credential with the named right; a read by POST needs a request from the same origin if a session sends it.',
  `Changes need a browser session, the header ${CSRF_HEADER} with csrf_token of /me, a request from the same origin, and a login of the last five minutes.`,
].join(' ');

const SECURITY: Json = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: { type: 'http', scheme: 'basic', description: 'The password is the token; any user name.' },
  token: { type: 'apiKey', in: 'header', name: 'X-Lictor-Token' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-lictor' },
};

const REFUSAL = schemaOf(z.strictObject({ detail: z.string(), code: z.enum(Object.keys(REASONS)), hint: z.string(), request_id: z.string() }), 'output');

function operationOf(route: ApiRoute): Json {
  const { schemas, summary, mediaType = 'application/json' } = route;
  const parameters = [...parametersOf(schemas.params, 'path'), ...parametersOf(schemas.query, 'query'), ...(isWrite(route) ? [CSRF_PARAMETER] : [])];
  const right = rightWords(route);
  return {
    operationId: operationId(route),
    summary,
    description: right,
    ...(parameters.length > 0 && { parameters }),
    ...(schemas.body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(schemas.body, 'input') } } } }),
    responses: {
      '200': { description: 'Done', content: { [mediaType]: { schema: schemaOf(schemas.answer, 'output') } } },
      default: { description: 'Refused', content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } } },
    },
  };
}

const CSRF_PARAMETER = { name: CSRF_HEADER, in: 'header', required: true, description: 'csrf_token of /me', schema: { type: 'string' } };

/** `GET /locks/{id}` is `get_locks_id`. */
function rightWords({ needs }: ApiRoute): string {
  const action = actionOf(needs);
  if (action === undefined) return 'Any credential.';
  return `Needs \`${action}\`.${needs === 'records' ? ' With the right on flow runs or deployments, it is about the objects in your scopes only.' : ''}`;
}

function operationId({ method, path }: ApiRoute): string {
  return `${method.toLowerCase()}${path.replaceAll(/[^a-z_]+/g, '_').replace(/_+$/, '')}`;
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): readonly Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Record<string, Json>; required?: readonly string[] };
  return Object.entries(properties).map(([name, { description, ...form }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: form,
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
