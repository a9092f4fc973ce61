// One route of the admin API as data: its path, its right, the schemas of its input and answer, and its handler.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Authorization } from '../../../authorization/decide/decider.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import type { ActionName, ResourceType } from '../../../contract/operation.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import type { RouteParts } from '../parts.ts';
import { whatIsWrong } from './problem-text.ts';

/** The right that a route needs. `credential`: any authenticated principal. `records`: some records of the ledger; the handler must narrow its answer to them. */
export type Need = 'credential' | 'records' | { readonly action: ActionName; readonly type?: ResourceType };

export type Allowed = Extract<Authorization, { ok: true }>;

/** What a handler gets beside its typed input. */
export interface CallContext {
  readonly request: FastifyRequest;
  readonly inputs: EdgeInputs;
  readonly authorization: Allowed;
  /** The records that the principal may read: none unless the route needs `records`. */
  readonly reader: RecordReader;
  readonly parts: RouteParts;
  /**
   * Records a change before it takes effect: who, from where and by which policies are filled in. False: it could not be recorded, and the
   * configuration forbids changes without a record. Every write must call this.
   */
  record(event: ChangeRecord): Promise<boolean>;
}

/** What a change adds to its record. */
export type ChangeRecord = Pick<
  NewRecord,
  'resource_type' | 'resource_id' | 'grants' | 'approval_id' | 'session_id' | 'decision' | 'reason' | 'policies' | 'revision'
> & { readonly action: string };

export interface Call<P, Q, B> extends CallContext {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

/** `send`: an answer that is no JSON object, such as a stream. */
export type Result<A> =
  | { readonly ok: true; readonly body: A }
  | { readonly ok: true; readonly send: (reply: FastifyReply) => FastifyReply }
  | { readonly ok: false; readonly code: ReasonCode; readonly detail?: string | undefined };

export interface RefusedChange {
  readonly action: string;
  readonly resourceType: string;
}

interface Spec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/.lictor/api/v1`, with parameters in braces: `/tokens/{name}`. */
  readonly path: string;
  /** What it does, as an imperative, for the OpenAPI document. */
  readonly summary: string;
  readonly needs: Need;
  /** The record of a refused change whose right is not one of this API. */
  readonly refusalsAs?: RefusedChange;
  /** A POST that changes nothing: its input is too large for a query. It needs no recent login, and takes tokens as a GET does. */
  readonly isRead?: boolean;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Bytes of the largest body. Default: 16 KiB. */
  readonly bodyLimit?: number;
  readonly answer: A;
  /** The media type of an answer by `send`. Left out: JSON. */
  readonly mediaType?: string;
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Result<z.input<A>>>;
}

/** The input of one request before its schemas have read it. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export interface ApiRoute
  extends Pick<Spec<z.ZodType, z.ZodType, z.ZodType, z.ZodType>, 'method' | 'path' | 'summary' | 'needs' | 'refusalsAs' | 'isRead' | 'mediaType'> {
  readonly schemas: { readonly params: z.ZodType; readonly query: z.ZodType; readonly body: z.ZodType | undefined; readonly answer: z.ZodType };
  readonly bodyLimit: number;
  run(input: RawInput, context: CallContext): Promise<Result<unknown>>;
}

const BODY_BYTES = 16 * 1024;
const NONE = z.strictObject({});

/** Reads the whole input before the handler sees any of it. An unknown key is an error: a misspelt filter must not match everything. */
export function apiRoute<A extends z.ZodType, P extends z.ZodType = typeof NONE, Q extends z.ZodType = typeof NONE, B extends z.ZodType = z.ZodUndefined>(
  spec: Spec<P, Q, B, A>,
): ApiRoute {
  const params: z.ZodType = spec.params ?? NONE;
  const query: z.ZodType = spec.query ?? NONE;
  const body = spec.body;
  const input = z.object({ params, query, body: body ?? z.undefined() });
  const { method, path, summary, needs, handle, answer } = spec;
  return {
    ...{ method, path, summary, needs, isRead: spec.isRead === true },
    ...(spec.refusalsAs !== undefined && { refusalsAs: spec.refusalsAs }),
    ...(spec.mediaType !== undefined && { mediaType: spec.mediaType }),
    schemas: { params, query, body, answer },
    bodyLimit: spec.bodyLimit ?? BODY_BYTES,
    async run(raw, context) {
      const read = input.safeParse(raw);
      if (!read.success) return { ok: false, code: 'request-invalid', detail: whatIsWrong(read.error, query) };
      // The schemas of this object are those of the handler's parameters.
      const typed = read.data as { params: z.output<P>; query: z.output<Q>; body: z.output<B> };
      return handle({ ...context, ...typed });
    },
  };
}

export function isWrite({ method, isRead }: Pick<ApiRoute, 'method' | 'isRead'>): boolean {
  return method !== 'GET' && isRead !== true;
}

/** The action in the record of a request; undefined: it has no record. */
export function actionOf(needs: Need): ActionName | undefined {
  if (needs === 'credential') return undefined;
  return needs === 'records' ? READ_RECORDS : needs.action;
}

/** On the whole ledger, or on records about objects. */
export const READ_RECORDS = 'ledger.read';
