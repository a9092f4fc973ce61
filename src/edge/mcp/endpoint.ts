// POST /.lictor/mcp: the checks that come before the MCP library, then one server for the request and its principal.
import { createMcpHandler } from '@modelcontextprotocol/server';
import { unproven } from '../../authorization/decide/authorization.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
import type { Limit } from '../../config/config.ts';
import { type ClientScope, MCP_SCOPES, scopesAllow } from '../../contract/client-scopes.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isList, type JsonValue } from '../../contract/json/tree.ts';
import { MCP_PATH, RESOURCE_METADATA } from '../../contract/names.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { Authentication } from '../../identity/authn/verdict.ts';
import { issuerOf, mcpResource } from '../../identity/oauth/metadata.ts';
import { precheck } from './calls.ts';
import { createPrincipalLimits } from './principal-limits.ts';
import { createServer, type Progress, type ServerParts } from './server.ts';

/** The same limit as in nginx (mcp.conf). */
export const MCP_BYTES = 256 * 1024;

export interface McpRequest {
  readonly inputs: EdgeInputs;
  /** Lower-case names, as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly path: string;
}

export interface McpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface McpParts extends ServerParts {
  readonly record: (record: NewRecord) => Promise<void>;
  readonly revision: number;
  readonly limits: readonly Limit[];
  readonly steady: SteadyClock;
}

export interface McpEndpoint {
  /** The whole answer: no stream stays open. Throws only when Lictor cannot authenticate. */
  handle(request: McpRequest): Promise<McpAnswer>;
}

/** A request in progress ends at most this time after its credential. */
const CHECK_MS = 1_000;

export function createMcpEndpoint(parts: McpParts): McpEndpoint {
  const limits = createPrincipalLimits(parts.limits, parts.steady);
  return {
    async handle(given) {
      if (given.inputs.foreignOrigin === true) return refused('origin-foreign', given);
      // Only programs call the endpoint. With the cookie of a browser, any page could act for the person.
      const request = { ...given, inputs: { ...given.inputs, session: '', audience: 'mcp' as const } };
      const authentication = await parts.decider.authenticate(request.inputs);
      if (!authentication.ok) {
        await recordRefused(parts, request, authentication);
        return challenged(parts, request, authentication.reason);
      }
      const { principal } = authentication;
      if (!limits.begin(principal)) return refused('limit-exceeded', request);
      try {
        return await answer(parts, { ...authentication, request });
      } finally {
        limits.end(principal);
      }
    },
  };
}

/** A credential of a known owner. Of a guess, the access log gives the record. */
async function recordRefused(parts: McpParts, request: McpRequest, refused: Extract<Authentication, { ok: false }>): Promise<void> {
  const who = identityFields(unproven(refused));
  if (who.principal === null) return;
  const record = {
    ...{ ...requestFields(request), ...who, time: new Date(parts.clock()).toISOString(), revision: parts.revision },
    ...({ decision: 'deny', reason: refused.reason, status: REASONS[refused.reason].status, mode: 'enforce' } as const),
  };
  await parts.record(record).catch(parts.onError);
}

function requestFields({ inputs: { requestId, address }, headers, path }: McpRequest) {
  return { request_id: requestId === '' ? null : requestId, source_ip: address, user_agent: headers['user-agent'] ?? null, method: 'POST', path };
}

interface Exchange {
  readonly request: McpRequest;
  readonly principal: Principal;
  readonly credential: Credential;
}

/** Each request that asks Prefect nothing has one record. Every request to Prefect has its own, and so has an answer with secrets that were removed. */
async function answer(parts: McpParts, exchange: Exchange): Promise<McpAnswer> {
  const started = parts.clock();
  const progress: Progress = { asked: false, refusal: null, redactions: 0 };
  const message = readMessage(exchange.request);
  const tree = 'tree' in message ? message.tree : undefined;
  const result = 'tree' in message ? await serve(parts, exchange, { tree: message.tree, progress }) : message;
  if (!progress.asked || progress.redactions > 0)
    await parts.record({
      ...recordOf(exchange, tree, progress),
      time: new Date(started).toISOString(),
      status: result.status,
      revision: parts.revision,
    });
  return result;
}

function recordOf(
  { request, principal, credential }: Exchange,
  tree: JsonValue | undefined,
  { asked, refusal, redactions }: Progress,
): Omit<NewRecord, 'time'> {
  const { request_id, ...fields } = requestFields(request);
  const tool = field(tree, 'method') === 'tools/call' ? field(field(tree, 'params'), 'name') : null;
  return {
    ...fields,
    request_id: request_id !== null && asked ? `${request_id}-answer` : request_id,
    ...identityFields({ ok: true, principal, credential, decisions: [], restrictions: [], entities: [] }),
    decision: refusal === null ? 'allow' : 'deny',
    reason: refusal ?? 'policy-permits',
    tool: typeof tool === 'string' ? tool.slice(0, 100) : null,
    mode: 'enforce',
    redactions: redactions || null,
  };
}

interface Asked {
  readonly tree: JsonValue;
  readonly progress: Progress;
}

async function serve(parts: McpParts, exchange: Exchange, { tree, progress }: Asked): Promise<McpAnswer> {
  const { request, principal, credential } = exchange;
  if (field(tree, 'method') === 'subscriptions/listen') return protocolError(404, -32601, 'Lictor offers no subscriptions.', field(tree, 'id'));
  const challenge = await missingScope(parts, exchange, tree);
  if (challenge !== undefined) return challenge;
  const { inputs, headers } = request;
  const errors: unknown[] = [];
  const handler = createMcpHandler(() => createServer(parts, { inputs, headers, principal, credential }, progress), { onerror: (error) => errors.push(error) });
  const ended = new AbortController();
  const watch = setInterval(() => endWithCredential(parts, inputs, ended), CHECK_MS);
  try {
    const web = new Request(mcpResource(parts.publicUrl), { method: 'POST', headers: passedHeaders(headers), signal: ended.signal });
    const whole = handler.fetch(web, { parsedBody: tree }).then(wholeOf);
    const answered = await Promise.race([whole, whenEnded(ended.signal, () => challenged(parts, request, 'credential-revoked'))]);
    // The library reports each invalid request too, and the client has its answer.
    if (answered.status >= 500) errors.map(parts.onError);
    return answered;
  } finally {
    clearInterval(watch);
    await handler.close();
  }
}

function endWithCredential({ decider, onError }: McpParts, inputs: EdgeInputs, ended: AbortController): void {
  const check = async (): Promise<void> => {
    const { ok } = await decider.authenticate(inputs);
    if (!ok) ended.abort();
  };
  check().catch((error: unknown) => {
    onError(error);
    ended.abort();
  });
}

function whenEnded(signal: AbortSignal, result: () => McpAnswer): Promise<McpAnswer> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(result()), { once: true }));
}

async function wholeOf(response: Response): Promise<McpAnswer> {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) };
}

/** The library reads no others. */
const READ = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

function passedHeaders(headers: Readonly<Record<string, string>>): [string, string][] {
  return READ.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as [string, string]]));
}

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i;

/** Exactly the tree that this returns is served: nothing parses the bytes again. */
function readMessage(request: McpRequest): { readonly tree: JsonValue } | McpAnswer {
  const { body, headers, inputs } = request;
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return refused('content-type-unsupported', request);
  if (body.length > MCP_BYTES) return refused('body-too-large', request, `The body is larger than ${MCP_BYTES} bytes.`);
  const read = parseStrict(body);
  if (!read.ok) return protocolError(400, -32700, read.detail, null, refusalBody(read.code, inputs.requestId, read.detail));
  const batch = 'The body is a JSON-RPC batch: send one message in each request.';
  if (isList(read.tree)) return protocolError(400, -32600, batch, null, refusalBody('request-invalid', inputs.requestId, batch));
  return { tree: read.tree };
}

/** Only for a credential with scopes: a call of a tool that none of them permits names the scope that it needs. */
async function missingScope(parts: McpParts, { request, credential }: Exchange, tree: JsonValue): Promise<McpAnswer | undefined> {
  const { scopes } = credential;
  const name = field(tree, 'method') === 'tools/call' ? field(field(tree, 'params'), 'name') : undefined;
  const needs = parts.tools.find(({ definition }) => definition.name === name)?.needs ?? null;
  if (scopes === undefined || needs === null) return undefined;
  const authorization = await precheck(parts, request.inputs, needs);
  if (authorization.ok || authorization.reason !== 'scope-missing') return undefined;
  const group = parts.catalogue.byId(needs.operation)?.group;
  const needed = MCP_SCOPES.find((scope) => scopesAllow([scope], group));
  return challenged(parts, request, 'scope-missing', needed === undefined ? scopes : [...new Set([...scopes, needed])]);
}

/** RFC 6750, and RFC 9728, section 5.1. */
function challenged({ publicUrl }: McpParts, request: McpRequest, reason: ReasonCode, scopes: readonly ClientScope[] = MCP_SCOPES): McpAnswer {
  const answer = refused(reason, request);
  if (answer.status !== 401 && reason !== 'scope-missing') return answer;
  const error = answer.status === 401 ? (reason === 'credential-missing' ? '' : ', error="invalid_token"') : ', error="insufficient_scope"';
  const challenge = `Bearer realm="lictor"${error}, resource_metadata="${issuerOf(publicUrl)}${RESOURCE_METADATA}${MCP_PATH}", scope="${scopes.join(' ')}"`;
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } };
}

const JSON_HEADERS = { 'content-type': 'application/json' };

function refused(code: ReasonCode, { inputs }: McpRequest, detail?: string): McpAnswer {
  const { status } = REASONS[code];
  return {
    status,
    headers: { ...JSON_HEADERS, ...((status === 429 || status === 503) && { 'retry-after': '2' }) },
    body: Buffer.from(JSON.stringify(refusalBody(code, inputs.requestId, detail))),
  };
}

function protocolError(status: number, code: number, message: string, id: JsonValue | undefined, data?: object): McpAnswer {
  const error = { code, message, ...(data !== undefined && { data }) };
  return { status, headers: JSON_HEADERS, body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error })) };
}
