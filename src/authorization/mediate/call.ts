// From a raw mediated request to a Call: known operation, exact content type, bounded size, strict JSON.

import type { EdgeInputs } from '../../contract/inputs.ts';
import { parseStrict, type StrictResult } from '../../contract/json/strict-json.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import { AT_ONCE } from './body-work.ts';
import type { Call, Handler, Refusal } from './handler.ts';

export interface MediatedRequest {
  readonly inputs: EdgeInputs;
  /** Lower-case names, as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: no body. */
  readonly body: Buffer | LateBody;
  /** The MCP tool that sends it; left out: an HTTP client does. */
  readonly tool?: string;
  /** The request of the client that this one serves. Left out: it is the request of the client. */
  readonly serves?: EdgeInputs;
}

/** A body that Lictor has not read yet. */
export interface LateBody {
  /** As the client declares it. */
  readonly length: number;
  read(): Promise<Buffer>;
}

export interface Route {
  readonly catalogue: Catalogue;
  readonly operation: Operation;
  readonly handler: Handler;
  readonly readsParameters: boolean;
}

export type Opened = { readonly ok: true; readonly call: Call } | { readonly ok: false; readonly refusal: Refusal };

/** Path and operation come from nginx. Lictor checks again that they belong together. */
export function openCall(route: Route, request: MediatedRequest & { readonly body: Buffer }): Opened {
  const located = locateCall(route, request);
  return located.ok ? readCall(located, request.body.length === 0 ? undefined : parseStrict(request.body)) : located;
}

type Located = { readonly ok: true; readonly call: Omit<Call, 'tree'> } | { readonly ok: false; readonly refusal: Refusal };

/** Everything that Lictor can check before it reads the body. */
export function locateCall({ catalogue, operation, handler, readsParameters }: Route, request: MediatedRequest): Located {
  const { inputs } = request;
  if (operation.taken === 'deny' || operation.taken === 'relay' || operation.method !== inputs.method) return refuse({ code: 'route-denied' });
  const params = catalogue.params(operation, inputs.path);
  if (params === undefined) return refuse({ code: 'request-invalid', detail: 'The path does not belong to the operation.' });
  const refusal = checkBody(request, operation, handler.maxBytes);
  if (refusal !== undefined) return refuse(refusal);
  return { ok: true, call: { operation, inputs, params, readsParameters, turn: AT_ONCE.turn } };
}

/** `read` undefined: the request has no body. */
export function readCall({ call }: Extract<Located, { ok: true }>, read: StrictResult | undefined): Opened {
  if (read?.ok === false) return refuse({ code: read.code, detail: read.detail });
  return { ok: true, call: { ...call, tree: read?.tree } };
}

function refuse(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } {
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
