// The service proxy: nginx sends it decided calls that need more than forwarding. It makes no decision.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Config } from '../../../config/config.ts';
import { forwardedHeaders } from '../../../config/service-way.ts';
import { endToEnd, framing } from '../../../contract/end-to-end.ts';
import { SERVICE_PROXY } from '../../../contract/names.ts';
import { answerFromCache, type CacheParts, pass } from './answer-from-cache.ts';
import { createAnswerStore } from './answer-store.ts';
import type { ProxiedCall } from './ask.ts';
import { createBodyRoom, createSending } from './body-room.ts';
import { bypassesCache } from './cache-rules.ts';
import { refuse } from './reply.ts';
import { createServiceRuntime, type RuntimeParts, type ServiceRuntime } from './service-runtime.ts';

export interface ServiceProxy {
  /** Trusts its client: only nginx can use the socket, after its decision. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Uses only these services from now on. Running calls finish under their own configuration. */
  use(config: Pick<Config, 'services' | 'forwardHeaders'>): void;
}

export interface ServiceProxyParts extends RuntimeParts {
  /** Others in tests. */
  readonly limits?: Partial<ProxyLimits>;
}

interface ProxyLimits {
  /** For all completely buffered bodies: nginx permits 16 MiB for one. */
  readonly bodyBytes: number;
  /** For all stored answers, and again for those that slow callers read. */
  readonly storedBytes: number;
  /** For all answers that are being stored. */
  readonly fetchedBytes: number;
  /** Calls that fetch an answer for the store. */
  readonly fetches: number;
  /** How long a call waits for another call's answer, and the store for an answer of unknown length. */
  readonly patienceMs: number;
}

const LIMITS: ProxyLimits = { bodyBytes: 128 << 20, storedBytes: 128 << 20, fetchedBytes: 128 << 20, fetches: 512, patienceMs: 5_000 };

interface Inside {
  readonly parts: ServiceProxyParts;
  readonly bodies: ReturnType<typeof createBodyRoom>;
  readonly store: ReturnType<typeof createAnswerStore>;
  readonly caching: Pick<CacheParts, 'room' | 'sending' | 'fetching' | 'inFlight' | 'patienceMs'>;
}

export function createServiceProxy(parts: ServiceProxyParts): ServiceProxy {
  const limits = { ...LIMITS, ...parts.limits };
  const inside: Inside = {
    parts,
    bodies: createBodyRoom(limits.bodyBytes),
    store: createAnswerStore(limits.storedBytes),
    caching: {
      ...{ room: createBodyRoom(limits.fetchedBytes), sending: createSending(limits.storedBytes), fetching: createBodyRoom(limits.fetches) },
      ...{ inFlight: new Map(), patienceMs: limits.patienceMs },
    },
  };
  let runtimes: ReadonlyMap<string, ServiceRuntime> = new Map();
  return {
    handle(request, response) {
      const runtime = runtimes.get(String(request.headers[SERVICE_PROXY.service]));
      // During a reload nginx's workers still have the former configuration, with another path of the service.
      if (runtime === undefined || request.url?.startsWith(`${runtime.service.path}/`) !== true) return refuse(response, 'service-unavailable');
      serve(inside, runtime, request, response).catch((error: unknown) => {
        if (!response.destroyed) parts.log.warn({ service: runtime.service.name, code: codeOf(error) }, 'an answer of a service broke off');
        refuse(response, 'service-unavailable');
      });
    },
    use({ services, forwardHeaders }) {
      const ours = services.map((service) => [service.name, createServiceRuntime(service, forwardedHeaders(service, { forwardHeaders }), parts)] as const);
      runtimes = new Map(ours);
      inside.store.keepOnly(services.filter(({ cache }) => cache.length > 0).map(({ name }) => name));
    },
  };
}

async function serve(inside: Inside, runtime: ServiceRuntime, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  // Each attempt and each wait adds a listener.
  EventEmitter.setMaxListeners(0, gone.signal);
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const caller = String(request.headers[SERVICE_PROXY.caller]);
  const length = runtime.strategy?.readsBody === true ? Number(request.headers['content-length'] ?? 0) : 0;
  const taken = inside.bodies.take(caller, length);
  // Not a failure of the server: others still use it.
  if (taken !== 'taken') return refuseBody(request, response, taken);
  try {
    const body = await bodyOf(runtime, request, length);
    const call: ProxiedCall = {
      ...{ method: request.method ?? 'GET', target: request.url ?? '/', headers: headersOf(request), body, caller },
      framing: body === null ? {} : framing(request.headers),
      ...{ signal: gone.signal, isHeldUp: () => response.writableNeedDrain },
    };
    await answer(inside, runtime, { request, response, call });
  } finally {
    inside.bodies.give(caller, length);
    // The unread rest of a body would precede the next call on this connection.
    request.resume();
  }
}

interface Serving {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly call: ProxiedCall;
}

async function answer({ parts, store, caching }: Inside, runtime: ServiceRuntime, { request, response, call }: Serving): Promise<void> {
  const rule = runtime.cacheRules.ruleOf(call);
  if (rule === undefined) return await pass({ runtime, log: parts.log }, { call, response }, null);
  const generation = request.headers[SERVICE_PROXY.generation];
  const shelf = typeof generation === 'string' && /^[0-9]{1,15}$/.test(generation) ? store.shelf(runtime.service.name, Number(generation)) : undefined;
  // Without the number of purges, which the decision contains, no answer is stored or used.
  if (shelf === undefined || bypassesCache(call)) return await pass({ runtime, log: parts.log }, { call, response }, 'bypass');
  const key = runtime.cacheRules.keyOf(rule, call);
  // Another generation of the same key is another answer.
  const caught = { ...caching, ...parts, runtime };
  await answerFromCache(caught, { call, response, rule, shelf, key: `${generation}\n${runtime.service.name}\n${key}` });
}

function bodyOf({ strategy }: ServiceRuntime, request: IncomingMessage, length: number): IncomingMessage | null | Promise<Buffer> {
  const { 'content-length': said = '0', 'transfer-encoding': encoding } = request.headers;
  if (said === '0' && encoding === undefined) return null;
  return strategy?.readsBody === true ? readBody(request, length) : request;
}

/** nginx has the complete body and its length. Rejects if nginx closes the connection. */
async function readBody(request: IncomingMessage, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  if (body.length !== length) throw new Error('a body of another length');
  return body;
}

/** The body is read and discarded, so that nginx gets the answer. */
async function refuseBody(request: IncomingMessage, response: ServerResponse, taken: 'share' | 'full'): Promise<void> {
  for await (const _piece of request);
  refuse(response, taken === 'share' ? 'rate-limited' : 'service-unavailable');
}

/** Headers between nginx and the proxy, or set for each server. */
function headersOf({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const passing = endToEnd(headers, ['host', 'expect', 'content-length']);
  return Object.fromEntries(Object.entries(passing).filter(([name]) => !name.startsWith('x-lictor-') || name === 'x-lictor-assertion'));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
