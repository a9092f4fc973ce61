// services[].cache: which calls may be answered from the cache, and what two calls must have in common to share an answer.
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

/** `forwardHeaders`: the client's headers that reach this service beside the built-in ones. */
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
    // A principal's id and a header's value have no line end, so no value can pass for two.
    keyOf: (rule, { method, target, headers, caller }) =>
      [prints.get(rule), rule.shared ? '' : caller, method, ...names.map((name) => `${name}:${headerOf(headers, name)}`), target].join('\n'),
  };
}

/** An answer of one configuration of the service is not used by another. */
function fingerprint({ servers, path, caFile, forwardHeaders }: Service, rule: CacheRule): string {
  return createHash('sha256').update(JSON.stringify({ servers, path, caFile, forwardHeaders, rule })).digest('hex').slice(0, 16);
}

export function headerOf(headers: OutgoingHttpHeaders, name: string): string {
  return String(headers[name] ?? '');
}

/** The service may read more of such a call than the key has. */
const FURTHER: readonly string[] = [
  ...['range', 'if-range', 'if-match', 'if-unmodified-since', 'prefer', 'idempotency-key', 'last-event-id'],
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
];

/** A call past the cache: its answer is not stored, and no stored one is used. */
export function bypassesCache({ headers, body }: Pick<ProxiedCall, 'headers' | 'body'>): boolean {
  return body !== null || FURTHER.some((name) => headerOf(headers, name) !== '') || /text\/event-stream/i.test(headerOf(headers, 'accept'));
}

const CONDITIONS: readonly string[] = ['if-none-match', 'if-modified-since'];
/** What one caller says of itself. */
const OF_CALLER: readonly string[] = ['user-agent', 'traceparent', 'tracestate', 'x-forwarded-for'];

/** How the service is asked for an answer that is to be stored: the cache compares conditions by itself, and no caller influences what others read. */
export function headersToStore(rule: CacheRule, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const dropped = rule.shared ? [...CONDITIONS, ...OF_CALLER] : CONDITIONS;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.includes(name)));
}
