// /.lictor/oauth/token: throttle, grant, record, answer. Each grant type is an entry in `grants`.

import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import { REASONS, refusalBody } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { type BoundedCounter, createBoundedCounter } from '../authn/bounded-counter.ts';
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
  /** Its name in the record. */
  readonly action: 'token.exchange' | 'token.device' | 'token.code' | 'token.refresh';
  readonly grant: Grant;
  /** Only another service can verify the proof, so Lictor asks it each time. */
  readonly asksOutside?: (form: Form) => boolean;
}

export interface TokenEndpointParts {
  /** By grant_type. */
  readonly grants: ReadonlyMap<string, GrantType>;
  readonly record: (record: NewRecord) => Promise<void>;
  /** A token is not issued unless it can be recorded. */
  readonly failClosed: boolean;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly revision: number;
  readonly onError: (error: unknown) => void;
}

/** Within a minute of the first. `refused`, `tried`: by address; `given`: by principal and address. */
export const TOKEN_LIMITS = { refused: 30, tried: 300, given: 300, windowMs: 60_000, keys: 10_000 } as const;

/** `tried`: without success; of grants that ask outside, all. */
type Counters = Readonly<Record<'refused' | 'tried' | 'given', BoundedCounter>>;

/**
 * An address may be an office or a cluster: wrong proofs of one client must not stop the others. Lictor verifies a proof after any number of failures,
 * as this costs no more than a token on any other request. The exception is a proof that another service must verify each time.
 */
export function createTokenEndpoint(parts: TokenEndpointParts): TokenEndpoint {
  const counter = (): BoundedCounter => createBoundedCounter(parts.steady, TOKEN_LIMITS);
  const counters: Counters = { refused: counter(), tried: counter(), given: counter() };
  return async (request) => {
    const question = parseQuestion(parts, request);
    const { action, asksOutside } = question;
    const key = `${guesserKey(request.address)}${asksOutside ? ' outside' : ''}`;
    const waitMs = Math.max(overMs(counters.refused, key, TOKEN_LIMITS.refused), overMs(counters.tried, key, TOKEN_LIMITS.tried));
    if (asksOutside && waitMs > 0) return refusalAnswer(throttled(waitMs), request);
    counters.tried.add(key);
    const result = await decide(parts, question);
    const answer = result.ok ? await give(parts, { request, action, issued: result, given: counters.given }) : result;
    if ('error' in answer) return refuse(parts, { request, action, refusal: answer, ...whose(counters, answer, { key, waitMs }) });
    if (!asksOutside) counters.tried.undo(key);
    return answer;
  };
}

/** Milliseconds until the next attempt is possible. 0: the limit is not reached. */
function overMs(counter: BoundedCounter, key: string, most: number): number {
  return counter.count(key) >= most ? counter.leftMs(key) : 0;
}

/** An authenticated principal has a separate count, so that others at the address cannot end its login. */
function whose({ refused }: Counters, { principalId, credentialId }: OAuthRefusal, { key, waitMs }: { readonly key: string; readonly waitMs: number }) {
  const who = principalId ?? credentialId;
  if (who === undefined) return { waitMs, refused: () => void refused.add(key) };
  const own = `${who} ${key}`;
  return { waitMs: overMs(refused, own, TOKEN_LIMITS.refused), refused: () => void refused.add(own) };
}

interface Refusing {
  readonly request: TokenRequest;
  readonly action: GrantType['action'];
  readonly refusal: OAuthRefusal;
  readonly waitMs: number;
  /** Counts it. */
  readonly refused: () => void;
}

/** A throttled attempt is not recorded: the edge's record has it, and a flood would fill the ledger. */
async function refuse(parts: TokenEndpointParts, { request, action, refusal, waitMs, refused }: Refusing): Promise<TokenAnswer> {
  if (isWaiting(refusal)) return refusalAnswer(refusal, request);
  const isLater = refusal.error === 'temporarily_unavailable';
  if (!isLater) refused();
  if (waitMs === 0) await record(parts, { request, action, result: refusal }).catch(parts.onError);
  return refusalAnswer(waitMs === 0 || isLater ? refusal : throttled(waitMs), request);
}

interface Question {
  readonly form: Form | string;
  readonly type: GrantType | undefined;
  readonly action: GrantType['action'];
  readonly asksOutside: boolean;
  readonly address: string;
}

function parseQuestion({ grants }: TokenEndpointParts, { contentType, body, address }: TokenRequest): Question {
  const form = parseForm(contentType, body);
  const type = typeof form === 'string' ? undefined : grants.get(form.get('grant_type') ?? '');
  const asksOutside = typeof form !== 'string' && type?.asksOutside?.(form) === true;
  return { form, type, action: type?.action ?? 'token.exchange', asksOutside, address };
}

async function decide({ onError }: TokenEndpointParts, { form, type, address }: Question): Promise<Issued | OAuthRefusal> {
  if (typeof form === 'string') return refuseRequest(form);
  const grantType = form.get('grant_type');
  if (grantType === undefined) return refuseRequest('grant_type is needed.');
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
  readonly given: BoundedCounter;
}

/** Recorded before it is valid. */
async function give(parts: TokenEndpointParts, { request, action, issued, given: counter }: Giving): Promise<TokenAnswer | OAuthRefusal> {
  const key = `${guesserKey(request.address)} ${issued.principal.id}`;
  const waitMs = overMs(counter, key, TOKEN_LIMITS.given);
  if (waitMs > 0) return throttled(waitMs);
  counter.add(key);
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

/** RFC 6749 5.2: 400, unless the client may try again. */
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

/** Which principal got a token for what, or did not get it. Never the proof itself. */
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

function issuedFields({ principal, proofId, tokenId, grantId, grants }: Issued): Partial<NewRecord> {
  return {
    principal: principal.id,
    principal_kind: principal.kind,
    idp: principal.idp,
    on_behalf_of: principal.onBehalfOf ?? [],
    credential_id: proofId,
    resource_id: tokenId,
    grant_id: grantId ?? null,
    grants: grants ?? null,
    decision: 'allow',
    status: 200,
  };
}

function refusedFields({ reason, error, principalId, principalKind, idp, onBehalfOf, credentialId, grantId }: OAuthRefusal): Partial<NewRecord> {
  return {
    principal: principalId ?? null,
    principal_kind: principalId === undefined ? null : (principalKind ?? null),
    idp: idp ?? null,
    on_behalf_of: onBehalfOf ?? [],
    credential_id: credentialId ?? null,
    grant_id: grantId ?? null,
    decision: 'deny',
    reason,
    status: error === 'temporarily_unavailable' ? REASONS[reason].status : 400,
  };
}
