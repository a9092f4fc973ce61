// /.lictor/oauth/token: throttle, grant, record, answer. A further grant is one more entry in `grants`.
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import type { Clock } from '../contract/clock.ts';
import { guesserKey } from '../contract/network.ts';
import { REASONS, refusalBody } from '../contract/reasons.ts';
import type { NewRecord } from '../contract/record.ts';
import { parseForm } from './form.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';
import type { Grant, Issued } from './token-exchange.ts';

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

export interface TokenEndpointParts {
  /** By grant_type. */
  readonly grants: ReadonlyMap<string, Grant>;
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
    const result = await decide(parts, request);
    if (result.ok) return await give(parts, request, result);
    if (result.error !== 'temporarily_unavailable') refused.add(key);
    await record(parts, request, result).catch(parts.onError);
    return refusalAnswer(result, request);
  };
}

async function decide({ grants, onError }: TokenEndpointParts, { contentType, body, address }: TokenRequest): Promise<Issued | OAuthRefusal> {
  const form = parseForm(contentType, body);
  if (typeof form === 'string') return refuseRequest(form);
  const grantType = form.get('grant_type');
  if (grantType === undefined) return refuseRequest('grant_type is needed.');
  const grant = grants.get(grantType);
  if (grant === undefined) return { ok: false, error: 'unsupported_grant_type', reason: 'request-invalid', detail: 'This grant_type is not accepted here.' };
  try {
    return await grant(form, address);
  } catch (error) {
    onError(error);
    return unavailable();
  }
}

/** Recorded before it is valid. */
async function give(parts: TokenEndpointParts, request: TokenRequest, issued: Issued): Promise<TokenAnswer> {
  try {
    await record(parts, request, issued);
  } catch (error) {
    parts.onError(error);
    if (parts.failClosed) return refusalAnswer({ ok: false, error: 'temporarily_unavailable', reason: 'ledger-unavailable', retryAfterSeconds: 2 }, request);
  }
  // RFC 6749 5.1.
  return { status: 200, headers: { 'cache-control': 'no-store', pragma: 'no-cache' }, body: await issued.issue() };
}

function throttled(waitMs: number): OAuthRefusal {
  return { ok: false, error: 'temporarily_unavailable', reason: 'rate-limited', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

function unavailable(): OAuthRefusal {
  return { ok: false, error: 'temporarily_unavailable', reason: 'gateway-unavailable', retryAfterSeconds: 5 };
}

/** RFC 6749 5.2: 400, but for what may be tried again. */
function refusalAnswer({ error, reason, detail, retryAfterSeconds }: OAuthRefusal, { requestId }: TokenRequest): TokenAnswer {
  const body = refusalBody(reason, requestId, detail);
  return {
    status: error === 'temporarily_unavailable' ? REASONS[reason].status : 400,
    headers: { 'cache-control': 'no-store', ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }) },
    body: { error, error_description: body.detail, ...body },
  };
}

/** Who got, or did not get, a token for what. Never the proof itself. */
function record({ clock, revision, record: append }: TokenEndpointParts, request: TokenRequest, result: Issued | OAuthRefusal): Promise<void> {
  return append({
    time: new Date(clock()).toISOString(),
    request_id: request.requestId === '' ? null : request.requestId,
    ...(result.ok ? issuedFields(result) : refusedFields(result)),
    source_ip: request.address,
    user_agent: request.userAgent,
    method: 'POST',
    path: request.path,
    action: 'token.exchange',
    resource_type: 'AccessToken',
    mode: 'enforce',
    revision,
  });
}

function issuedFields({ identity, proofId, tokenId }: Issued): Partial<NewRecord> {
  return {
    principal: `${identity.name}@${identity.idp}`,
    principal_kind: identity.kind,
    idp: identity.idp,
    credential_id: proofId,
    resource_id: tokenId,
    decision: 'allow',
    status: 200,
  };
}

function refusedFields({ reason, error, principalId, idp, credentialId }: OAuthRefusal): Partial<NewRecord> {
  return {
    principal: principalId ?? null,
    principal_kind: principalId === undefined ? null : 'service',
    idp: idp ?? null,
    credential_id: credentialId ?? null,
    decision: 'deny',
    reason,
    status: error === 'temporarily_unavailable' ? REASONS[reason].status : 400,
  };
}
