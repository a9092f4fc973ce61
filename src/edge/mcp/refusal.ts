// The error of a refused tool call: Lictor's own words, as any client gets them over HTTP. Prefect's words are untrusted text.
import { z } from 'zod';
import type { Refusal } from '../../authorization/mediate/handler.ts';
import type { MediatedResponse } from '../../authorization/mediate/mediator.ts';
import { refusalResponse } from '../../authorization/mediate/responses.ts';
import { field, type JsonValue } from '../../contract/json/tree.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { isDatabaseBusy } from '../../prefect/client/database-busy.ts';
import { textIn } from './facts.ts';
import { ANY, untrusted, untrustedText } from './untrusted.ts';

export const ERROR = z
  .object({
    code: z.string().describe('A stable code.'),
    detail: z.string(),
    hint: z.string().describe('What would help.'),
    request_id: z.string(),
    status: z.int().optional().describe('The HTTP status.'),
    retry_after_seconds: z.int().optional(),
    approval_id: z.string().optional(),
    url: z.string().optional().describe('The page on which a person approves the call.'),
    expires_at: z.string().optional(),
    untrusted_text: untrustedText({ answer: ANY }).optional(),
  })
  .describe('Why the call was refused.');
export type ToolError = z.infer<typeof ERROR>;

/** Ends a tool call. It is no defect: the agent gets `refusal` as the result. */
export class ToolRefusal extends Error {
  readonly refusal: ToolError;

  constructor(refusal: ToolError) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** As the mediator would answer it over HTTP. */
export function errorOf(refusal: Refusal, requestId: string): ToolError {
  return toolError(refusalResponse(refusal, requestId), refusal.code, requestId);
}

/** Undefined: the request succeeded. */
export function refusalOf(response: MediatedResponse, requestId: string): ToolError | undefined {
  if (response.status < 300) return undefined;
  if (response.refusal === undefined) return response.status < 500 ? refusedByPrefect(response, requestId) : failedInPrefect(response, requestId);
  return toolError(response, response.refusal.code, requestId);
}

function toolError({ status, headers, body: bytes }: MediatedResponse, code: ReasonCode, requestId: string): ToolError {
  const body = jsonOf(bytes);
  const seconds = Number(headers['retry-after']);
  return {
    code,
    detail: textIn(body, 'detail') ?? '',
    hint: textIn(body, 'hint') ?? '',
    request_id: requestId,
    status,
    ...(Number.isSafeInteger(seconds) && { retry_after_seconds: seconds }),
    ...approvalOf(body),
  };
}

function approvalOf(body: JsonValue): Partial<ToolError> {
  const id = textIn(body, 'approval_id');
  const url = textIn(body, 'approval_url');
  const expiresAt = textIn(body, 'expires_at');
  return { ...(id !== null && { approval_id: id }), ...(url !== null && { url }), ...(expiresAt !== null && { expires_at: expiresAt }) };
}

/** A foreign object gets the same answer as a missing one. */
function refusedByPrefect({ status, body: bytes }: MediatedResponse, requestId: string): ToolError {
  const body = jsonOf(bytes);
  const answer = { untrusted_text: untrusted('answer of Prefect', { answer: field(body, 'detail') ?? field(body, 'exception_detail') ?? null }) };
  if (status === 404) return { code: 'not-found', detail: 'Prefect has no such object.', hint: 'Check the id.', request_id: requestId, status, ...answer };
  return { code: 'prefect-refused', detail: `Prefect answered with status ${status}.`, hint: 'Check the arguments.', request_id: requestId, status, ...answer };
}

const BUSY_SECONDS = 2;

function failedInPrefect(response: MediatedResponse, requestId: string): ToolError {
  const { status } = response;
  const answer = { code: 'upstream-unavailable', request_id: requestId, status } as const;
  if (isDatabaseBusy(response))
    return {
      ...answer,
      detail: 'The database of Prefect is busy, so Prefect did not carry out the request.',
      hint: 'Repeat the call after retry_after_seconds.',
      retry_after_seconds: BUSY_SECONDS,
    };
  const hint = 'Prefect may have carried out the request. After a call that changes something, read the object first. Then repeat the call.';
  return { ...answer, detail: `Prefect failed with status ${status}.`, hint };
}

function jsonOf(bytes: Buffer): JsonValue {
  try {
    return JSON.parse(bytes.toString('utf8')) as JsonValue;
  } catch {
    return null;
  }
}
