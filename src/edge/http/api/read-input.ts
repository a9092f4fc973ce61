// The raw input of a request of the admin API: parameters of the path, of the query, and a body in strict JSON.
import type { FastifyRequest } from 'fastify';
import { parseStrict } from '../../../contract/json/strict-json.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { ApiRoute, RawInput } from './api-route.ts';

type Input = ({ readonly ok: true } & RawInput) | { readonly ok: false; readonly code: ReasonCode; readonly detail?: string };

export function readInput(request: FastifyRequest, { schemas }: Pick<ApiRoute, 'schemas'>): Input {
  const query = readQuery(request.url);
  if (query === undefined) return { ok: false, code: 'request-invalid', detail: 'A parameter is given twice.' };
  if (schemas.body === undefined) return { ok: true, params: request.params, query, body: undefined };
  if (!/^application\/json\s*(?:;\s*charset=utf-8\s*)?$/i.test(request.headers['content-type'] ?? '')) return { ok: false, code: 'content-type-unsupported' };
  const body = parseStrict(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  return body.ok ? { ok: true, params: request.params, query, body: body.tree } : body;
}

/** Undefined: a name is there twice. */
function readQuery(url: string): Readonly<Record<string, string>> | undefined {
  const at = url.indexOf('?');
  const all = [...new URLSearchParams(at === -1 ? '' : url.slice(at + 1))];
  return new Set(all.map(([name]) => name)).size === all.length ? Object.fromEntries(all) : undefined;
}
