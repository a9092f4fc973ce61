// /.lictor/oauth/token: throttle, grant, record, answer. A further grant is one more entry in `grants`.
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import type { Clock } from '../contract/clock.ts';
import { guesserKey } from '../contract/network.ts';
import { REASONS, refusalBody } from '../contract/reasons.ts';
import type { NewRecord } from '../contract/record.ts';
import { type Form, parseForm } from './form.ts';
import { type Grant, type Issued, isRefusal } from './issued.ts';
import { isWaiting, type OAuthRefusal, refuseRequest } from './refusal.ts';

export interface TokenRequest {
  readonly contentType: string;
  readonly body: Buffer;
  readonly address: string;
  readonly requestId: string;
  readonly userAgent: string | null;
  readonly path: string;
}

export interface TokenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export type TokenEndpoint = (request: TokenRequest) => Promise<TokenAnswer>;

export interface GrantType {
  /** How the record calls it. */
  readonly action: 'token.exchange' | 'token.device' | 'token.refresh';
  readonly grant: Grant;
}

export interface TokenEndpointParts {
  /** By grant_type. */
  readonly grants: ReadonlyMap<string, GrantType>;
  readonly record: (record: NewRecord) => Promise<void>;
  /** A token that cannot be recorded is not given. */
  readonly failClosed: boolean;
  readonly clock: Clock;
  readonly revision: number;
  readonly onError: (error: unknown) => void;
}

/** Within a minute of the first, by address. */
export const TOKEN_LIMITS = { refused: 30, all: 300, windowMs: 60_000, keys: 10_000 } as const;

export function createTokenEndpoint(parts: TokenEndpointParts): TokenEndpoint {
  const refused = createBoundedCounter(parts.clock, TOKEN_LIMITS);
  const all = createBoundedCounter(parts.clock, TOKEN_LIMITS);
  return async (request) => {
    const key = guesserKey(request.address);
    const waitMs = Math.max(refused.count(key) >= TOKEN_LIMITS.refused ? refused.leftMs(key) : 0, all.count(key) >= TOKEN_LIMITS.all ? all.leftMs(key) : 0);
    // Not recorded: the record of the edge has it, and a flood would fill the ledger.
    if (waitMs > 0) return refusalAnswer(throttled(waitMs), request);
    all.add(key);
    const answer = await attempt(parts, request);
    if (!('error' in answer)) return answer;
    if (answer.error !== 'temporarily_unavailable' && !isWaiting(answer)) refused.add(key);
    return refusalAnswer(answer, request);
  };
}

/** Decides, records and gives. */
async function attempt(parts: TokenEndpointParts, request: TokenRequest): Promise<TokenAnswer | OAuthRefusal> {
  const form = parseForm(request.contentType, request.body);
  const type = typeof form === 'string' ? undefined : parts.grants.get(form.get('grant_type') ?? '');
  const action = type?.action ?? 'token.exchange';
  const result = await decide(parts, { form, type, address: request.address });
  const answer = result.ok ? await give(parts, { request, action, issued: result }) : result;
  if ('error' in answer && !isWaiting(answer)) await record(parts, { request, action, result: answer }).catch(parts.onError);
  return answer;
}

interface Question {
  readonly form: Form | string;
  readonly type: GrantType | undefined;
  readonly address: string;
}

async function decide({ onError }: TokenEndpointParts, { form, type, address }: Question): Promise<Issued | OAuthRefusal> {
  if (typeof form === 'string') return refuseRequest(form);
  const wanted = form.get('grant_type');
  if (wanted === undefined) return refuseRequest('grant_type is needed.');
  if (wanted === 'authorization_code') return { ok: false, error: 'unsupported_grant_type', reason: 'flow-unsupported' };
  if (type === undefined) return { ok: false, error: 'unsupported_grant_type', reason: 'request-invalid', detail: 'This grant_type is not accepted here.' };
  try {
    return await type.grant(form, address);
  } catch (error) {
    onError(error);
    return unavailable();
  }
}

interface Giving {
  readonly request: TokenRequest;
  readonly action: GrantType['action'];
  readonly issued: Issued;
}

/** Recorded before it is valid. */
async function give(parts: TokenEndpointParts, { request, action, issued }: Giving): Promise<TokenAnswer | OAuthRefusal> {
  try {
    await record(parts, { request, action, result: issued });
  } catch (error) {
    parts.onError(error);
    if (parts.failClosed) return { ok: false, error: 'temporarily_unavailable', reason: 'ledger-unavailable', retryAfterSeconds: 2 };
  }
  const given = await issued.issue();
  // RFC 6749 5.1.
  return isRefusal(given) ? given : { status: 200, headers: { 'cache-control': 'no-store', pragma: 'no-cache' }, body: given };
}

function throttled(waitMs: number): OAuthRefusal {
  return { ok: false, error: 'temporarily_unavailable', reason: 'rate-limited', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

function unavailable(): OAuthRefusal {
  return { ok: false, error: 'temporarily_unavailable', reason: 'gateway-unavailable', retryAfterSeconds: 5 };
}

/** RFC 6749 5.2: 400, but for what may be tried again. */
export function refusalAnswer({ error, reason, detail, retryAfterSeconds }: OAuthRefusal, { requestId }: Pick<TokenRequest, 'requestId'>): TokenAnswer {
  const body = refusalBody(reason, requestId, detail);
  return {
    status: error === 'temporarily_unavailable' ? REASONS[reason].status : 400,
    headers: { 'cache-control': 'no-store', ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }) },
    body: { error, error_description: body.detail, ...body },
  };
}

interface Recorded {
  readonly request: TokenRequest;
  readonly action: GrantType['action'];
  readonly result: Issued | OAuthRefusal;
}

/** Who got, or did not get, a token for what. Never the proof itself. */
function record({ clock, revision, record: append }: TokenEndpointParts, { request, action, result }: Recorded): Promise<void> {
  return append({
    time: new Date(clock()).toISOString(),
    request_id: request.requestId === '' ? null : request.requestId,
    ...(result.ok ? issuedFields(result) : refusedFields(result)),
    source_ip: request.address,
    user_agent: request.userAgent,
    method: 'POST',
    path: request.path,
    action,
    resource_type: 'AccessToken',
    mode: 'enforce',
    revision,
  });
}

function issuedFields({ principal, proofId, tokenId, grantId }: Issued): Partial<NewRecord> {
  return {
    principal: principal.id,
    principal_kind: principal.kind,
    idp: principal.idp,
    credential_id: proofId,
    resource_id: tokenId,
    grant_id: grantId ?? null,
    decision: 'allow',
    status: 200,
  };
}

function refusedFields({ reason, error, principalId, principalKind, idp, credentialId, grantId }: OAuthRefusal): Partial<NewRecord> {
  return {
    principal: principalId ?? null,
    principal_kind: principalId === undefined ? null : (principalKind ?? null),
    idp: idp ?? null,
    credential_id: credentialId ?? null,
    grant_id: grantId ?? null,
    decision: 'deny',
    reason,
    status: error === 'temporarily_unavailable' ? REASONS[reason].status : 400,
  };
}
