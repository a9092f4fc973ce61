// A call at the servers of a service: which server is tried, and how often, until one answers.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import type { ServiceServer } from '../../../config/service.ts';
import { hostOf } from '../../../config/service-way.ts';
import { endToEnd } from '../../../contract/end-to-end.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { type Attempted, attempt, type Failure } from './attempt.ts';
import type { ServiceRuntime } from './service-runtime.ts';

export interface ProxiedCall {
  readonly method: string;
  /** Path and query below the service, byte for byte. */
  readonly target: string;
  /** The headers that the service may get. `framing` of a body is separate. */
  readonly headers: OutgoingHttpHeaders;
  readonly framing: OutgoingHttpHeaders;
  /** A stream is not read before a server has accepted the connection. Null: no body. */
  readonly body: Buffer | IncomingMessage | null;
  /** The principal. */
  readonly caller: string;
  /** Aborted when the caller leaves. */
  readonly signal: AbortSignal;
  /** True: the caller does not read. */
  readonly isHeldUp: () => boolean;
}

export interface ServiceAnswer {
  readonly status: number;
  /** End to end, without the gateway's credential, and without names that have a meaning for nginx. */
  readonly headers: OutgoingHttpHeaders;
  readonly body: Readable;
  /** False: an informational answer came first, or the call was repeated. */
  readonly isFirstWord: boolean;
  release(): void;
}

export type Asked = { readonly ok: true; readonly answer: ServiceAnswer } | { readonly ok: false; readonly reason: ReasonCode };

export interface AskParts {
  readonly runtime: ServiceRuntime;
  readonly log: { warn(fields: object, text: string): void };
  /** Earlier attempts of this call that broke off. */
  readonly broken?: number;
}

/**
 * If nothing was sent, the next server is always tried. A call that broke off is repeated only if that is harmless (RFC 9110, 9.2.2):
 * without `retries` once at each other server, else as often as they say and their budget allows. Never rejects.
 */
export async function ask(parts: AskParts, call: ProxiedCall): Promise<Asked> {
  const { runtime, broken = 0 } = parts;
  if (broken === 0) runtime.budget.count();
  else if (!mayRepeat(parts, call, broken)) return UNAVAILABLE;
  const queue = [...runtime.choose(call.caller)];
  const course: Course = { queue, reachable: new Set(queue), broken, fresh: false };
  for (let server = queue.shift(); server !== undefined; server = queue.shift()) {
    const asked = await askOne(parts, call, { server, fresh: course.fresh, isFirst: course.broken === 0 });
    if (asked.kind === 'settled') return asked.result;
    const refused = call.signal.aborted ? UNAVAILABLE : goOn(parts, call, course, { ...asked, server });
    if (refused !== undefined) return refused;
  }
  return UNAVAILABLE;
}

/** The progress of a call. */
interface Course {
  /** Servers that are not tried yet. */
  readonly queue: ServiceServer[];
  /** Those that have not refused a connection. */
  readonly reachable: Set<ServiceServer>;
  /** Attempts that broke off. */
  broken: number;
  /** The next attempt uses a new connection. */
  fresh: boolean;
}

/** The next step after a failed attempt. Undefined: the next server of the queue. */
function goOn(parts: AskParts, call: ProxiedCall, course: Course, { server, failure, pooled }: Failed & { readonly server: ServiceServer }): Asked | undefined {
  if (failure === 'late') return LATE;
  if (failure === 'unsent') {
    course.reachable.delete(server);
  } else if (pooled && isSafe(call) && !course.fresh) {
    // The server has closed an idle connection: that does not count as an attempt.
    course.fresh = true;
    course.queue.unshift(server);
  } else {
    course.broken += 1;
    if (!mayRepeat(parts, call, course.broken)) return UNAVAILABLE;
    if (course.queue.length === 0 && parts.runtime.service.retries !== null) course.queue.push(...course.reachable);
  }
  return undefined;
}

const UNAVAILABLE = { ok: false, reason: 'service-unavailable' } as const;
const LATE = { ok: false, reason: 'service-timeout' } as const;

const SAFE: readonly string[] = ['GET', 'HEAD', 'DELETE'];

function isSafe({ method, body }: ProxiedCall): boolean {
  return body === null && SAFE.includes(method);
}

/** Takes one repeat from the budget. */
function mayRepeat({ runtime: { service, budget } }: AskParts, call: ProxiedCall, broken: number): boolean {
  if (!isSafe(call)) return false;
  return service.retries === null || (broken < service.retries.attempts && budget.take());
}

interface One {
  readonly server: ServiceServer;
  readonly fresh: boolean;
  readonly isFirst: boolean;
}

interface Failed {
  readonly kind: 'failed';
  readonly failure: Failure;
  readonly pooled: boolean;
  readonly code?: string | undefined;
}
type AskedOne = { readonly kind: 'settled'; readonly result: Asked } | Failed;

async function askOne({ runtime, log }: AskParts, call: ProxiedCall, { server, fresh, isFirst }: One): Promise<AskedOne> {
  const { service, strategy } = runtime;
  const body = Buffer.isBuffer(call.body) ? call.body : null;
  const plain = { method: call.method, target: call.target, headers: { ...call.headers, host: hostOf(service, server) }, body };
  const made = strategy === undefined ? { ok: true as const, ...plain } : await strategy.authenticateCall(plain);
  if (!made.ok) return { kind: 'settled', result: made };
  const end = runtime.begin(server);
  const headers = { ...made.headers, ...call.framing };
  const where = { origin: new URL(server.origin), target: made.target, agent: runtime.agent(fresh), timeoutMs: service.timeoutSeconds * 1000 };
  const attempted = await attempt({ ...call, ...where, headers });
  const asked = attempted.ok ? settle(runtime, call, attempted, isFirst) : { kind: 'failed' as const, ...attempted };
  if (asked.kind === 'settled' && asked.result.ok) asked.result.answer.body.once('close', end);
  else end();
  if (asked.kind === 'failed' && !call.signal.aborted) {
    runtime.failed(server);
    const { failure, code } = asked;
    // Never a URL with its query.
    log.warn({ service: service.name, server: where.origin.host, failure, code }, 'a server of a service did not answer as it should');
  }
  return asked;
}

type Answered = Extract<Attempted, { ok: true }>;

function settle({ strategy }: ServiceRuntime, { method }: ProxiedCall, { answer, interim, release }: Answered, isFirst: boolean): AskedOne {
  const clean = strategy?.clean ?? null;
  const status = answer.statusCode ?? 0;
  const isBodiless = method === 'HEAD' || status === 204 || status === 304;
  const through = clean === null || isBodiless ? [] : clean.body(answer.headers['content-encoding']);
  if (through === undefined) {
    release();
    return { kind: 'failed', failure: 'broken', pooled: false };
  }
  const headers = passing(clean === null ? answer.headers : clean.headers(answer.headers));
  const body = through.length === 0 ? answer : (pipeline([answer, ...through], () => undefined) as unknown as Readable);
  return { kind: 'settled', result: { ok: true, answer: { status, headers, body, isFirstWord: isFirst && !interim, release } } };
}

/** nginx obeys or trusts some of these names: an answer of a service must not contain them. */
function passing(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const passed = endToEnd(headers as IncomingMessage['headers'], []);
  return Object.fromEntries(Object.entries(passed).filter(([name]) => !/^(?:x-accel-|x-lictor-|lictor)/i.test(name)));
}
