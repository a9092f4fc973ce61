// From a decision to what nginx's auth subrequest understands: 200, 401 or 403, headers, and how long it may be cached.

import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { Entity } from '../../contract/entity.ts';
import { LictorError } from '../../contract/error.ts';
import { encodeFacts } from '../../contract/facts.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { noWay, OUTPUT } from '../../contract/names.ts';
import type { Operation, PathTaken } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { absentBody } from '../../contract/scope/absent.ts';
import { parseServiceOperation, type ServiceCall } from '../../contract/service-call.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import { mustBeRead } from './bound.ts';
import { padToInterval } from './constant-time.ts';
import type { Authorization, Decider } from './decider.ts';
import { identityFields } from './identity-fields.ts';
import { decisionKey } from './inputs.ts';
import { createLiveKeys } from './live-keys.ts';
import type { ServiceCalls } from './service-calls.ts';

export interface Answer {
  readonly status: 200 | 401 | 403;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answerer {
  /** Throws when it cannot decide: the caller destroys the socket, so that nginx may serve a stale allow, then 503. */
  answer(inputs: EdgeInputs): Promise<Answer>;
  /** After a sweep. */
  forget(): void;
}

/** What the answer to a call of a service carries to nginx. */
export interface AnsweredServices {
  readonly calls: ServiceCalls;
  /** The text of X-Lictor-Assertion. */
  assert(about: { readonly service: string; readonly principal: Principal; readonly run: Entity | null }): Promise<string>;
  /** How often the cache of a service was purged; null: it has none. */
  cacheGeneration(service: string): Promise<number | null>;
  readonly credentials: {
    /** Of the service; null: it needs none from here. Undefined: it needs one, and none can be had at present. */
    readonly tokens: { of(service: string): Promise<{ readonly token: string; readonly expiresAtMs: number } | null | undefined> };
  };
}

export interface AnswererParts {
  readonly decider: Decider;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** False while records cannot be written: no new decision for a write is made. */
  readonly mayWrite: () => boolean;
  /** Left out: no call of a service is allowed. */
  readonly services?: AnsweredServices;
  /** The roles that `limits` names; left out: none. */
  readonly limitedRoles?: readonly string[];
  /** Left out: time itself. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

const FRESH_SECONDS = 1;
const STALE_SECONDS = 30;

export function createAnswerer(parts: AnswererParts): Answerer {
  const liveKeys = createLiveKeys(parts.steady);
  const inFlight = new Map<string, Promise<Authorization>>();

  /** Single flight: nginx has no lock here, so an expired key can arrive many times at once. */
  const authorizeOnce = (key: string, inputs: EdgeInputs, call: ServiceCall | undefined): Promise<Authorization> => {
    const running = inFlight.get(key);
    if (running !== undefined) return running;
    const started = authorize(parts, inputs, call).finally(() => inFlight.delete(key));
    inFlight.set(key, started);
    return started;
  };

  const allow = async (authorization: Allowed, asked: Asked, facts: string): Promise<Answer> => {
    const { operation, call, key } = asked;
    const way = call === undefined ? wayToPrefect(authorization, operation) : await wayToService(parts, authorization, call);
    if (way === undefined) return refusal('action-unknown', facts);
    if ((operation?.writes ?? changes(call)) && !parts.mayWrite()) throw new LictorError('ledger-unavailable', 'the ledger cannot be written');
    const cacheable = liveKeys.admit(authorization.principal.id, key);
    return {
      status: 200,
      headers: {
        ...way.headers,
        [OUTPUT.limit]: encodeURIComponent(authorization.principal.id),
        ...limitedRoles(parts, authorization.principal),
        [OUTPUT.facts]: facts,
        'cache-control': cacheable ? cacheControl(earliest(authorization.credential.expiresAtMs, way.expiresAtMs), parts.clock()) : 'no-store',
      },
    };
  };

  return {
    async answer(inputs) {
      const startedMs = performance.now();
      const asked = whatIsAsked(parts, inputs);
      const authorization = await authorizeOnce(asked.key, inputs, asked.call);
      if (!authorization.ok && authorization.reason === 'gateway-unavailable') throw new LictorError('gateway-unavailable', 'decisions do not settle');
      const facts = factsHeader(authorization, parts.decider.revision);
      if (authorization.ok) return allow(authorization, asked, facts);
      return refusalOf(parts, inputs, { reason: authorization.reason, detail: authorization.detail, facts, startedMs });
    },
    forget: () => liveKeys.clear(),
  };
}

/** nginx counts a request for each of these roles. No header where there is none: each header costs every request. */
function limitedRoles({ limitedRoles: limited = [] }: AnswererParts, { grants }: Principal): Readonly<Record<string, string>> {
  const held = limited.filter((role) => grants.some((grant) => grant.role === role));
  return held.length === 0 ? {} : { [OUTPUT.limitedRoles]: held.join(',') };
}

interface Asked {
  readonly key: string;
  readonly operation: Operation | undefined;
  /** Of a service, where it is no operation of Prefect's. */
  readonly call: ServiceCall | undefined;
}

function whatIsAsked({ catalogue }: AnswererParts, inputs: EdgeInputs): Asked {
  const operation = catalogue.byId(inputs.operation);
  const key = `${decisionKey(inputs)}|${operation === undefined ? inputs.method : ''}`;
  return { key, operation, call: operation === undefined ? parseServiceOperation(inputs.operation) : undefined };
}

function authorize({ catalogue, decider, services }: AnswererParts, inputs: EdgeInputs, call: ServiceCall | undefined): Promise<Authorization> {
  if (services !== undefined && call !== undefined) return services.calls.authorize(inputs, call);
  return catalogue.byId(inputs.operation)?.taken === 'mediated' ? decider.precheck(inputs) : decider.authorize(inputs, []);
}

type Allowed = Extract<Authorization, { ok: true }>;
type Way = { readonly headers: Readonly<Record<string, string>>; readonly expiresAtMs: number | null } | undefined;

/** Undefined: there is none. */
function wayToPrefect(authorization: Allowed, operation: Operation | undefined): Way {
  if (operation === undefined || operation.taken === 'relay') return undefined;
  return { headers: { [OUTPUT.path]: pathOf(authorization, operation) }, expiresAtMs: null };
}

async function wayToService({ services }: AnswererParts, { principal, entities }: Allowed, { service }: ServiceCall): Promise<Way> {
  if (services === undefined) return undefined;
  const token = await services.credentials.tokens.of(service);
  // Allowed, but the gateway cannot serve it: nginx says so. Never cached.
  if (token === undefined) return { headers: { [OUTPUT.path]: 'uncredentialed' }, expiresAtMs: 0 };
  const [assertion, generation] = await Promise.all([services.assert({ service, principal, run: entities[0] ?? null }), services.cacheGeneration(service)]);
  const headers = { [OUTPUT.path]: 'egress', [OUTPUT.assertion]: assertion, ...(generation !== null && { [OUTPUT.cacheGeneration]: String(generation) }) };
  if (token === null) return { headers, expiresAtMs: null };
  return { headers: { ...headers, [OUTPUT.credential]: `Bearer ${token.token}` }, expiresAtMs: token.expiresAtMs };
}

function earliest(first: number | null, second: number | null): number | null {
  return first === null || second === null ? (first ?? second) : Math.min(first, second);
}

/** Of any other there is no knowing. */
function changes(call: ServiceCall | undefined): boolean {
  return call?.method !== 'GET' && call?.method !== 'HEAD';
}

/** What is allowed for a part only is narrowed to it, or refused, where the body can be read. */
function pathOf({ restriction, principal }: Allowed, operation: Operation): PathTaken {
  return restriction === null && !mustBeRead(principal, operation) ? operation.taken : 'mediated';
}

interface Refused {
  readonly reason: ReasonCode;
  readonly detail: string | undefined;
  readonly facts: string;
  readonly startedMs: number;
}

async function refusalOf({ catalogue, pause }: AnswererParts, inputs: EdgeInputs, { reason, detail, facts, startedMs }: Refused): Promise<Answer> {
  if (reason === 'object-foreign') await padToInterval(performance.now() - startedMs, pause);
  return refusal(reason, facts, absentBytes(catalogue, inputs, reason) ?? detail);
}

/** A refusal is never cached: guessed tokens would fill the cache. */
function refusal(reason: ReasonCode, facts: string, words?: string): Answer {
  const text = REASONS[reason];
  return {
    status: text.status === 401 ? 401 : 403,
    headers: {
      [OUTPUT.path]: noWay(reason, words),
      [OUTPUT.facts]: facts,
      'cache-control': 'no-store',
      ...(text.status === 401 && { 'www-authenticate': 'Bearer realm="lictor"' }),
    },
  };
}

/** What Prefect's router says of a path that it does not have. */
const ABSENT = '{"detail":"Not Found"}';

/** For the header `Allow`. */
function allowedInstead(catalogue: Catalogue, path: string): string | undefined {
  const mismatch = catalogue.mismatch(path);
  return typeof mismatch === 'object' ? mismatch.allow : undefined;
}

/** What goes behind the code: Prefect's own body for an object that is not there, as bytes of a header. */
function absentBytes(catalogue: Catalogue, { operation: operationId, path }: EdgeInputs, reason: ReasonCode): string | undefined {
  if (reason === 'not-found') return ABSENT;
  if (reason === 'method-not-allowed') return allowedInstead(catalogue, path);
  if (reason !== 'object-foreign') return undefined;
  const operation = catalogue.byId(operationId);
  const body = absentBody(operation, (operation === undefined ? undefined : catalogue.params(operation, path)) ?? {});
  // Names may have any letters; no valid name contains a DEL.
  return Buffer.from(body.replaceAll('\u007f', '')).toString('latin1');
}

/** nginx counts whole seconds, so an answer lives up to two; both numbers end with the credential. */
export function cacheControl(expiresAtMs: number | null, nowMs: number): string {
  const leftSeconds = expiresAtMs === null ? Number.POSITIVE_INFINITY : Math.floor((expiresAtMs - nowMs) / 1000) - 1;
  if (leftSeconds < FRESH_SECONDS + 1) return 'no-store';
  const stale = Math.min(STALE_SECONDS, leftSeconds - FRESH_SECONDS - 1);
  return stale > 0 ? `max-age=${FRESH_SECONDS}, stale-if-error=${stale}` : `max-age=${FRESH_SECONDS}`;
}

function factsHeader(authorization: Authorization, revision: number): string {
  const { decisions } = authorization;
  return encodeFacts({
    ...identityFields(authorization),
    decision: authorization.ok ? 'allow' : 'deny',
    reason: authorization.ok ? 'policy-permits' : authorization.reason,
    policies: [...new Set(decisions.flatMap((decision) => decision.policies))],
    action: decisions[0]?.action ?? null,
    revision,
  });
}
