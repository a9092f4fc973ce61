// services[].cache: which calls the cache may answer, and which parts two calls must share to share an answer.
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { bySpecificity } from '../../../config/sections/service-routes.ts';
import type { CacheRule, Service } from '../../../config/service.ts';
import { routeExpression } from '../../../prefect/catalog/service-routes.ts';
import type { ProxiedCall } from './ask.ts';

export interface CacheRules {
  /** Undefined: no rule covers the call. */
  ruleOf(call: Pick<ProxiedCall, 'method' | 'target'>): CacheRule | undefined;
  keyOf(rule: CacheRule, call: Pick<ProxiedCall, 'method' | 'target' | 'headers' | 'caller'>): string;
}

/** `forwardHeaders`: the client's headers that reach this service besides the built-in ones. */
export function cacheRulesOf(service: Service, forwardHeaders: readonly string[]): CacheRules {
  const patterns = service.cache
    .flatMap((rule) => rule.patterns.map((pattern) => ({ pattern, rule })))
    .toSorted((one, other) => bySpecificity(one.pattern, other.pattern))
    .map(({ pattern, rule }) => ({ expression: new RegExp(`^${routeExpression(pattern)}$`), rule }));
  const prints = new Map(service.cache.map((rule) => [rule, fingerprint(service, rule)]));
  const names = ['accept', 'accept-encoding', 'accept-language', ...forwardHeaders.map((name) => name.toLowerCase())];
  return {
    ruleOf({ method, target }) {
      if (method !== 'GET' && method !== 'HEAD') return undefined;
      const [path = ''] = target.slice(service.path.length).split('?', 1);
      return patterns.find(({ expression }) => expression.test(path))?.rule;
    },
    // A principal's id and a header's value contain no line end, so one value cannot look like two.
    keyOf: (rule, { method, target, headers, caller }) =>
      [prints.get(rule), rule.shared ? '' : caller, method, ...names.map((name) => `${name}:${headerOf(headers, name)}`), target].join('\n'),
  };
}

/** An answer for one configuration of the service is not used for another. */
function fingerprint({ servers, path, caFile, forwardHeaders }: Service, rule: CacheRule): string {
  return createHash('sha256').update(JSON.stringify({ servers, path, caFile, forwardHeaders, rule })).digest('hex').slice(0, 16);
}

export function headerOf(headers: OutgoingHttpHeaders, name: string): string {
  return String(headers[name] ?? '');
}

/** The service may read more of such a call than the key contains. */
const FURTHER: readonly string[] = [
  ...['range', 'if-range', 'if-match', 'if-unmodified-since', 'prefer', 'idempotency-key', 'last-event-id'],
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
];

/** A call that bypasses the cache: its answer is not stored, and no stored answer is used. */
export function bypassesCache({ headers, body }: Pick<ProxiedCall, 'headers' | 'body'>): boolean {
  return body !== null || FURTHER.some((name) => headerOf(headers, name) !== '') || /text\/event-stream/i.test(headerOf(headers, 'accept'));
}

const CONDITIONS: readonly string[] = ['if-none-match', 'if-modified-since'];
/** Headers in which a caller describes itself. */
const OF_CALLER: readonly string[] = ['user-agent', 'traceparent', 'tracestate', 'x-forwarded-for'];

/** The request for an answer that will be stored: without conditions, which the cache checks itself, and without anything of one caller that others would read. */
export function headersToStore(rule: CacheRule, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const dropped = rule.shared ? [...CONDITIONS, ...OF_CALLER] : CONDITIONS;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.includes(name)));
}
