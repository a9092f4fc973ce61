// From a raw mediated request to a Call: known operation, exact content type, bounded size, strict JSON.
import type { Catalogue } from '../catalog/catalogue.ts';
import type { EdgeInputs } from '../contract/inputs.ts';
import type { Operation } from '../contract/operation.ts';
import { parseStrict } from '../json/strict-json.ts';
import type { JsonValue } from '../json/tree.ts';
import type { Call, Family, Refusal } from './family.ts';

export interface MediatedRequest {
  readonly inputs: EdgeInputs;
  /** Lower-case names, as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: no body. */
  readonly body: Buffer;
}

export interface Route {
  readonly catalogue: Catalogue;
  readonly operation: Operation;
  readonly family: Family;
  readonly readsParameters: boolean;
}

export type Opened = { readonly ok: true; readonly call: Call } | { readonly ok: false; readonly refusal: Refusal };

/** Path and operation come from nginx; that they belong together is checked here once more. */
export function openCall({ catalogue, operation, family, readsParameters }: Route, request: MediatedRequest): Opened {
  const { inputs, body } = request;
  if (operation.taken === 'deny' || operation.taken === 'relay' || operation.method !== inputs.method) return refuse({ code: 'route-denied' });
  const params = catalogue.params(operation, inputs.path);
  if (params === undefined) return refuse({ code: 'request-invalid', detail: 'The path does not belong to the operation.' });
  const refusal = checkBody(request, operation, family.maxBytes);
  if (refusal !== undefined) return refuse(refusal);
  const parsed = body.length === 0 ? NO_BODY : parseStrict(body);
  if (!parsed.ok) return refuse({ code: parsed.code, detail: parsed.detail });
  return { ok: true, call: { operation, inputs, params, tree: parsed.tree, readsParameters } };
}

const NO_BODY: { readonly ok: true; readonly tree: JsonValue | undefined } = { ok: true, tree: undefined };

function refuse(refusal: Refusal): Opened {
  return { ok: false, refusal };
}

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i;

function checkBody({ headers, body }: MediatedRequest, operation: Operation, maxBytes: number): Refusal | undefined {
  const encoding = headers['content-encoding'] ?? '';
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') return { code: 'content-encoding-unsupported' };
  if (body.length === 0) return undefined;
  if (operation.method === 'GET') return { code: 'request-invalid', detail: 'A GET has no body.' };
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return { code: 'content-type-unsupported' };
  if (body.length > maxBytes) return { code: 'body-too-large', detail: `The body is larger than ${maxBytes} bytes.` };
  return undefined;
}
