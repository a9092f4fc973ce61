// Turns a decision into an answer to nginx's auth subrequest: 200, 401 or 403, headers, and a cache time.

import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { Entity } from '../../contract/entity.ts';
import { LictorError } from '../../contract/error.ts';
import { encodeFacts } from '../../contract/facts.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { noWay, OUTPUT } from '../../contract/names.ts';
import type { Operation, PathTaken } from '../../contract/operation.ts';
import { holdsRole, type Principal } from '../../contract/principal.ts';
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
import { decisionFields } from './observe.ts';
import type { ServiceCalls } from './service-calls.ts';

export interface Answer {
  readonly status: 200 | 401 | 403;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answerer {
  /** Throws when it cannot decide. The endpoint then destroys the socket, so that nginx may serve a stale allow, then 503. */
  answer(inputs: EdgeInputs): Promise<Answer>;
  /** To be called after a sweep. */
  forget(): void;
}

/** Sources of the headers in the answer to a call of a service. */
export interface AnsweredServices {
  readonly calls: ServiceCalls;
  /** The text of X-Lictor-Assertion. */
  assert(about: { readonly service: string; readonly principal: Principal; readonly run: Entity | null }): Promise<string>;
  /** The number of purges of a service's cache; null: the service has no cache. */
  cacheGeneration(service: string): Promise<number | null>;
  readonly credentials: {
    /** Null: the service needs no credential from Lictor. Undefined: it needs one, which Lictor cannot get at present. */
    readonly tokens: { of(service: string): Promise<{ readonly token: string; readonly expiresAtMs: number } | null | undefined> };
  };
}

export interface AnswererParts {
  readonly decider: Decider;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** False while Lictor cannot write records: it then allows no new write. */
  readonly mayWrite: () => boolean;
  /** Left out: no call of a service is allowed. */
  readonly services?: AnsweredServices;
  /** The roles that `limits` names; left out: none. */
  readonly limitedRoles?: readonly string[];
  /** True: this operation of this principal takes the mediated path. Left out: no further one does. */
  readonly mustMediate?: (principal: Principal, operation: Operation) => boolean;
  /** Tests replace it. */
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
    const route = call === undefined ? routeToPrefect(parts, authorization, operation) : await routeToService(parts, authorization, call);
    if (route === undefined) return refusal('action-unknown', facts);
    if ((operation?.writes ?? changes(call)) && !parts.mayWrite()) throw new LictorError('ledger-unavailable', 'the ledger cannot be written');
    const cacheable = liveKeys.admit(authorization.principal.id, key);
    return {
      status: 200,
      headers: {
        ...route.headers,
        [OUTPUT.limit]: encodeURIComponent(authorization.principal.id),
        ...limitedRoles(parts, authorization.principal),
        [OUTPUT.facts]: facts,
        'cache-control': cacheable ? cacheControl(earliest(authorization.credential.expiresAtMs, route.expiresAtMs), parts.clock()) : 'no-store',
      },
    };
  };

  return {
    async answer(inputs) {
      const startedMs = performance.now();
      const asked = readQuestion(parts, inputs);
      const authorization = await authorizeOnce(asked.key, inputs, asked.call);
      if (!authorization.ok && authorization.reason === 'gateway-unavailable') throw new LictorError('gateway-unavailable', 'decisions do not settle');
      const facts = factsHeader(authorization, parts.decider.revision);
      if (authorization.ok) return allow(authorization, asked, facts);
      return refusalOf(parts, inputs, { reason: authorization.reason, detail: authorization.detail, facts, startedMs });
    },
    forget: () => liveKeys.clear(),
  };
}

/** nginx counts a request for each of these roles. Without any, Lictor sends no header, because each header costs every request. */
function limitedRoles({ limitedRoles: limited = [] }: AnswererParts, principal: Principal): Readonly<Record<string, string>> {
  const held = limited.filter((role) => holdsRole(principal, role));
  return held.length === 0 ? {} : { [OUTPUT.limitedRoles]: held.join(',') };
}

interface Asked {
  readonly key: string;
  readonly operation: Operation | undefined;
  /** Set for a service, undefined for an operation of Prefect. */
  readonly call: ServiceCall | undefined;
}

function readQuestion({ catalogue }: AnswererParts, inputs: EdgeInputs): Asked {
  const operation = catalogue.byId(inputs.operation);
  const key = `${decisionKey(inputs)}|${operation === undefined ? inputs.method : ''}`;
  return { key, operation, call: operation === undefined ? parseServiceOperation(inputs.operation) : undefined };
}

function authorize({ catalogue, decider, services }: AnswererParts, inputs: EdgeInputs, call: ServiceCall | undefined): Promise<Authorization> {
  if (services !== undefined && call !== undefined) return services.calls.authorize(inputs, call);
  return catalogue.byId(inputs.operation)?.taken === 'mediated' ? decider.precheck(inputs) : decider.authorize(inputs, []);
}

type Allowed = Extract<Authorization, { ok: true }>;
/** The headers that route the request in nginx, and their expiry. */
type Route = { readonly headers: Readonly<Record<string, string>>; readonly expiresAtMs: number | null };

/** Undefined: nginx does not forward the operation. */
function routeToPrefect(parts: AnswererParts, authorization: Allowed, operation: Operation | undefined): Route | undefined {
  if (operation === undefined || operation.taken === 'relay') return undefined;
  const path = pathOf(parts, authorization, operation);
  const { instead } = authorization;
  const denial = instead?.ok === false && path === 'direct' ? { [OUTPUT.wouldDeny]: instead.reason } : {};
  return { headers: { [OUTPUT.path]: path, ...denial }, expiresAtMs: null };
}

async function routeToService({ services }: AnswererParts, { principal, entities }: Allowed, { service }: ServiceCall): Promise<Route | undefined> {
  if (services === undefined) return undefined;
  const token = await services.credentials.tokens.of(service);
  // Allowed, but Lictor has no credential: nginx answers with an error. Never cached.
  if (token === undefined) return { headers: { [OUTPUT.path]: 'uncredentialed' }, expiresAtMs: 0 };
  const [assertion, generation] = await Promise.all([services.assert({ service, principal, run: entities[0] ?? null }), services.cacheGeneration(service)]);
  const headers = { [OUTPUT.path]: 'egress', [OUTPUT.assertion]: assertion, ...(generation !== null && { [OUTPUT.cacheGeneration]: String(generation) }) };
  if (token === null) return { headers, expiresAtMs: null };
  return { headers: { ...headers, [OUTPUT.credential]: `Bearer ${token.token}` }, expiresAtMs: token.expiresAtMs };
}

function earliest(first: number | null, second: number | null): number | null {
  return first === null || second === null ? (first ?? second) : Math.min(first, second);
}

/** Any other method may modify state: treat it as a write. */
function changes(call: ServiceCall | undefined): boolean {
  return call?.method !== 'GET' && call?.method !== 'HEAD';
}

/** On the mediated path, Lictor reads the body and narrows a restricted request to its scopes, or refuses it. */
function pathOf({ mustMediate }: AnswererParts, { restrictions, principal, instead }: Allowed, operation: Operation): PathTaken {
  // Of an observed request, the mediator records how enforcement would narrow it.
  const isNarrowed = restrictions.length > 0 || (instead?.ok === true && instead.restrictions.length > 0);
  const isRead = isNarrowed || mustBeRead(principal, operation) || mustMediate?.(principal, operation) === true;
  return isRead ? 'mediated' : operation.taken;
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

/** nginx never caches a refusal: guessed tokens would fill the cache. */
function refusal(reason: ReasonCode, facts: string, detail?: string): Answer {
  const text = REASONS[reason];
  return {
    status: text.status === 401 ? 401 : 403,
    headers: {
      [OUTPUT.path]: noWay(reason, detail),
      [OUTPUT.facts]: facts,
      'cache-control': 'no-store',
      ...(text.status === 401 && { 'www-authenticate': 'Bearer realm="lictor"' }),
    },
  };
}

/** The answer of Prefect's router to an unknown path. */
const ABSENT = '{"detail":"Not Found"}';

/** For the header `Allow`. */
function allowedInstead(catalogue: Catalogue, path: string): string | undefined {
  const mismatch = catalogue.mismatch(path);
  return typeof mismatch === 'object' ? mismatch.allow : undefined;
}

/** The detail after the code: Prefect's own body for an absent object, as bytes of a header. */
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
  const { mode, ...said } = decisionFields(authorization);
  return encodeFacts({
    ...identityFields(authorization),
    ...said,
    ...(mode === 'observe' && { mode }),
    policies: [...new Set(decisions.flatMap((decision) => decision.policies))],
    action: decisions[0]?.action ?? null,
    revision,
  });
}
