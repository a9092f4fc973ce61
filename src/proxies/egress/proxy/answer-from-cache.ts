// A call that a rule of `cache` covers: answered from the store, or fetched once for all simultaneous calls.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { CacheRule } from '../../../config/service.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Shelf, StoredAnswer } from './answer-store.ts';
import { type Asked, type AskParts, ask, type ProxiedCall, type ServiceAnswer } from './ask.ts';
import type { BodyRoom, Sending } from './body-room.ts';
import { headersToStore } from './cache-rules.ts';
import { isNotModified, lifetimeOf, linksCredential } from './cacheable.ts';
import { copyOf, type Held, hold } from './hold.ts';
import { type CacheState, type Head, refuse, sendWhole, stream } from './reply.ts';

export interface CacheParts extends AskParts {
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** For all answers that are being stored. */
  readonly room: BodyRoom;
  /** For stored answers that are being sent to a caller. */
  readonly sending: Sending;
  /** For all calls that fetch an answer. One caller cannot take all places. */
  readonly fetching: BodyRoom;
  /** By key. Resolves when the answer is stored, or when it will not be. */
  readonly inFlight: Map<string, Promise<void>>;
  readonly patienceMs: number;
}

export interface Cached {
  readonly call: ProxiedCall;
  readonly response: ServerResponse;
  readonly rule: CacheRule;
  readonly key: string;
  readonly shelf: Shelf;
}

/** While another call fetches a newer answer, the stored one is used for this long beyond its time. */
const RENEWAL_MS = 5_000;

/** Resolves when the call is answered or refused. Rejects if a begun answer broke off. */
export async function answerFromCache(parts: CacheParts, cached: Cached): Promise<void> {
  const { steady, inFlight, patienceMs } = parts;
  const { call, key, rule, shelf } = cached;
  const untilMs = steady() + patienceMs;
  for (;;) {
    const stored = shelf.get(key, call.headers);
    if (stored !== undefined && steady() < stored.freshUntilMs) return await sendShared(parts, cached, stored, 'hit');
    const fetching = inFlight.get(key);
    if (fetching === undefined) return await fetchForAll(parts, cached, stored);
    const usableMs = Math.max(rule.staleSeconds * 1000, RENEWAL_MS);
    if (stored !== undefined && steady() < stored.freshUntilMs + usableMs) return await sendShared(parts, cached, stored, 'stale');
    if (steady() >= untilMs || call.signal.aborted) return await pass(parts, cached, 'miss');
    await Promise.race([fetching, delay(untilMs - steady(), undefined, { signal: call.signal }).catch(() => undefined)]);
  }
}

/** The store may drop a body that slow callers still read. So beyond a bound the call bypasses the cache. */
async function sendShared(parts: CacheParts, cached: Cached, stored: StoredAnswer, state: 'hit' | 'stale'): Promise<void> {
  if (!parts.sending.begin(cached.call.caller, stored.body, cached.response)) return await pass(parts, cached, 'bypass');
  sendStored(cached, stored, state);
}

/** Bypasses the cache. */
export async function pass(parts: AskParts, { call, response }: Pick<Cached, 'call' | 'response'>, state: CacheState): Promise<void> {
  const asked = await ask(parts, call);
  if (!asked.ok) return refuse(response, asked.reason, state);
  await passAnswer(response, asked.answer, state);
}

async function passAnswer(response: ServerResponse, answer: ServiceAnswer, state: CacheState, body: Readable = answer.body): Promise<void> {
  try {
    await stream(response, answer, state, body);
  } finally {
    answer.release();
  }
}

async function fetchForAll(parts: CacheParts, cached: Cached, stored: StoredAnswer | undefined): Promise<void> {
  const { call, key } = cached;
  const { promise, resolve } = Promise.withResolvers<void>();
  const settled = (): void => {
    if (parts.inFlight.get(key) === promise) parts.inFlight.delete(key);
    resolve();
  };
  if (parts.fetching.take(call.caller, 1) !== 'taken') return await pass(parts, cached, 'bypass');
  parts.inFlight.set(key, promise);
  try {
    await fetch(parts, cached, stored, settled);
  } finally {
    settled();
    parts.fetching.give(call.caller, 1);
  }
}

const FAILED: readonly number[] = [500, 502, 503, 504];

async function fetch(parts: CacheParts, cached: Cached, stored: StoredAnswer | undefined, settled: () => void): Promise<void> {
  const { call, response, rule, shelf, key } = cached;
  const state = stored === undefined ? 'miss' : 'expired';
  const asked = await ask(parts, { ...call, headers: headersToStore(rule, call.headers) });
  const standsIn = stored !== undefined && parts.steady() < stored.freshUntilMs + rule.staleSeconds * 1000 && hasFailed(asked);
  if (standsIn) {
    if (asked.ok) asked.answer.release();
    if (!parts.sending.begin(call.caller, stored.body, response)) return refuse(response, 'service-unavailable', 'stale');
    return sendStored(cached, stored, 'stale');
  }
  const lifeMs = asked.ok ? lifetimeOf(rule, asked.answer, parts.clock()) : undefined;
  const mayStore = asked.ok && lifeMs !== undefined && !linksCredential(parts.runtime.service, call.headers, asked.answer.headers);
  // The service has answered differently since.
  if (stored !== undefined && !mayStore) shelf.delete(key, call.headers);
  if (!asked.ok) return refuse(response, asked.reason, state);
  if (mayStore && asked.answer.isFirstWord) {
    // Counted from the head: the caller may read the body slowly.
    const freshUntilMs = parts.steady() + lifeMs;
    const put = (body: Buffer, { status, headers }: Head): void => {
      const isNewest = shelf.get(key, call.headers) === stored;
      if (isNewest) shelf.put(key, call.headers, { status, headers, body, freshUntilMs });
      settled();
    };
    return await store(parts, cached, { answer: asked.answer, state, put, settled });
  }
  settled();
  await passAnswer(response, asked.answer, asked.answer.isFirstWord ? state : 'bypass');
}

function hasFailed(asked: Asked): boolean {
  return !asked.ok || FAILED.includes(asked.answer.status);
}

interface Storing {
  readonly answer: ServiceAnswer;
  readonly state: 'miss' | 'expired';
  /** Of a whole answer. */
  readonly put: (body: Buffer, head: Head) => void;
  /** It will not be stored, so others need not wait. */
  readonly settled: () => void;
}

async function store(parts: CacheParts, cached: Cached, storing: Storing): Promise<void> {
  const { call } = cached;
  const { answer, state, put } = storing;
  if (call.method === 'HEAD' || answer.status === 204) {
    put(Buffer.alloc(0), answer);
    answer.release();
    return sendStored(cached, { ...answer, body: Buffer.alloc(0) }, state);
  }
  const said = answer.headers['content-length'];
  const isConditional = call.headers['if-none-match'] !== undefined || call.headers['if-modified-since'] !== undefined;
  if (said === undefined || isConditional) return await storeHeld(parts, cached, storing);
  await storeAsItComes(parts, cached, { ...storing, length: Number(said) });
}

/** The length of the answer is known: it is forwarded at once. */
async function storeAsItComes(
  { room, patienceMs }: CacheParts,
  { call: { caller }, response, rule }: Cached,
  { answer, state, put, settled, length }: Storing & { readonly length: number },
): Promise<void> {
  if (length > rule.mostBytes || room.take(caller, length) !== 'taken') {
    settled();
    return await passAnswer(response, answer, state);
  }
  // Other calls do not wait for a slow caller.
  const late = setTimeout(settled, patienceMs);
  copyOf(answer.body, length, (whole) => put(whole, answer));
  try {
    await passAnswer(response, answer, state);
  } finally {
    clearTimeout(late);
    room.give(caller, length);
  }
}

/** The length of the answer is not known: it is forwarded when it is complete, or when it will not be stored. */
async function storeHeld(parts: CacheParts, cached: Cached, { answer, state, put, settled }: Storing): Promise<void> {
  const { call, response, rule } = cached;
  const limits = { mostBytes: rule.mostBytes, patienceMs: parts.patienceMs, room: parts.room, caller: call.caller };
  const held = await hold(answer.body, limits).catch(() => undefined);
  if (held === undefined) {
    answer.release();
    settled();
    // No part of it has reached the caller.
    return call.signal.aborted ? undefined : await pass({ ...parts, broken: 1 }, cached, 'bypass');
  }
  // The body stays in memory until the caller has received it or has left.
  if (response.destroyed) held.release();
  else response.once('close', held.release);
  if (!held.whole) {
    settled();
    return await passAnswer(response, answer, state, Readable.from(withRest(held, answer.body)));
  }
  const body = Buffer.concat(held.pieces);
  put(body, answer);
  answer.release();
  sendStored(cached, { ...answer, body }, state);
}

async function* withRest(held: Held, rest: Readable): AsyncGenerator<Buffer> {
  for (const piece of held.pieces.splice(0)) yield piece;
  held.release();
  yield* rest;
}

function sendStored({ call, response }: Cached, { status, headers, body }: Head & { readonly body: Buffer }, state: CacheState): void {
  if (response.destroyed) return;
  const { 'content-length': _length, ...rest } = headers;
  if (isNotModified(call.headers, { status, headers })) sendWhole(response, { status: 304, headers: rest }, state, null);
  else sendWhole(response, { status, headers }, state, call.method === 'HEAD' || status === 204 ? null : body);
}
