// Does a browser session, or a login of the command line, continue at its provider? Lictor asks when it is due, once for all simultaneous requests.
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../../config/config.ts';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { SessionOwner } from '../../../store/owners.ts';
import type { StoredSession } from '../../../store/sessions.ts';
import type { Store } from '../../../store/store.ts';
import { createRoleBook, type RoleBook } from '../roles.ts';
import type { ExternalProvider, Proven } from './provider.ts';
import { provisionedIdentity } from './provisioned.ts';

/** A browser session, or a grant with its tokens. */
export interface Confirmable {
  readonly id: string;
  readonly owner: SessionOwner;
  /** When the provider must be asked again. Null: never. */
  readonly refreshAfterMs: number | null;
}

/** Returns the session in its present state. `refuse`: it has ended, or its provider did not answer for too long. */
export type Confirm<T extends Confirmable = StoredSession> = (
  session: T,
) => Promise<Confirmed<T> | { readonly refuse: 'session-expired' | 'session-unconfirmed' }>;

export interface Confirmed<T extends Confirmable> {
  readonly session: T;
  /** When to ask next. Null: never. */
  readonly askAgainMs: number | null;
}

export const CONFIRM_LIMITS = {
  /** How long a session lives after its provider should have answered and did not. */
  graceMs: 15 * 60_000,
  /** Between two requests to a provider that does not answer. */
  retryMs: 10_000,
  /** How long a request waits for the provider. Then the grace decides, while Lictor still waits. Below nginx's 5 s for a decision. */
  waitMs: 3000,
} as const;

/**
 * By session: the requests that run, and when a provider that did not answer may be asked again. It outlives every
 * configuration: two requests with one refresh token would end the session at a provider that rotates them.
 */
export interface ConfirmMemory<T extends Confirmable = StoredSession> {
  readonly asking: Map<string, Promise<Asked<T>>>;
  /** By the steady clock. */
  readonly retryAtMs: Map<string, number>;
}

export function createConfirmMemory<T extends Confirmable = StoredSession>(): ConfirmMemory<T> {
  return { asking: new Map(), retryAtMs: new Map() };
}

type Asked<T extends Confirmable> = Confirmed<T> | { readonly refuse: 'session-expired' } | 'no-answer';

/** Where the sessions or grants are stored. */
export interface ConfirmedStore<T extends Confirmable> {
  byId(id: string): Promise<T | undefined>;
  setRefreshAfter(id: string, refreshAfterMs: number | null): Promise<void>;
  end(id: string): Promise<boolean>;
}

export interface ConfirmParts<T extends Confirmable = StoredSession> {
  readonly providers: readonly ExternalProvider[];
  readonly sessions: ConfirmedStore<T>;
  readonly store: Pick<Store, 'identities' | 'idpTokens'>;
  readonly sealer: Sealer;
  readonly config: Pick<Config, 'roles'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly memory: ConfirmMemory<T>;
  /** A session ended because of the provider's answer. */
  readonly onEnded: (session: T, reason: ReasonCode, detail: string) => Promise<void>;
  /** The provider did not answer. */
  readonly onNoAnswer: (idp: string, detail: string) => void;
  readonly waitMs?: number;
}

export function createConfirm<T extends Confirmable>(parts: ConfirmParts<T>): Confirm<T> {
  const roleBook = createRoleBook(parts.config.roles);
  return async (session) => {
    const dueMs = whenDue(parts, session);
    if (dueMs === null || parts.clock() < dueMs) return { session, askAgainMs: dueMs };
    const answer = await answerInTime(parts, ask(parts, roleBook, session));
    if (answer !== 'no-answer') return answer;
    const retryAtMs = parts.memory.retryAtMs.get(session.id);
    const retryInMs = retryAtMs === undefined ? CONFIRM_LIMITS.retryMs : retryAtMs - parts.steady();
    const graceEndsMs = dueMs + CONFIRM_LIMITS.graceMs;
    if (parts.clock() >= graceEndsMs) return { refuse: 'session-unconfirmed' };
    return { session, askAgainMs: Math.min(parts.clock() + retryInMs, graceEndsMs) };
  };
}

/** Now, if the due time is later than this provider ever sets: then the clock was put back since. Null: never. */
function whenDue({ providers, clock }: Pick<ConfirmParts, 'providers' | 'clock'>, { owner, refreshAfterMs }: Confirmable): number | null {
  if (refreshAfterMs === null || owner.kind !== 'identity') return refreshAfterMs;
  const longestMs = providers.find(({ idp }) => idp === owner.identity.idp)?.asksWithinMs ?? null;
  const nowMs = clock();
  return longestMs !== null && refreshAfterMs - nowMs > longestMs ? nowMs : refreshAfterMs;
}

async function answerInTime<T extends Confirmable>({ waitMs = CONFIRM_LIMITS.waitMs }: ConfirmParts<T>, asked: Promise<Asked<T>>): Promise<Asked<T>> {
  const given = new AbortController();
  const late = pause(waitMs, 'no-answer' as const, { signal: given.signal, ref: false }).catch(() => 'no-answer' as const);
  try {
    return await Promise.race([asked, late]);
  } finally {
    given.abort();
  }
}

/** Joins a request that runs. Waits before it asks a provider again that did not answer. */
function ask<T extends Confirmable>(parts: ConfirmParts<T>, roleBook: RoleBook, { id }: T): Promise<Asked<T>> {
  const { memory, steady } = parts;
  const running = memory.asking.get(id);
  if (running !== undefined) return running;
  if ((memory.retryAtMs.get(id) ?? Number.NEGATIVE_INFINITY) > steady()) return Promise.resolve('no-answer');
  const started = askNow(parts, roleBook, id).finally(() => memory.asking.delete(id));
  memory.asking.set(id, started);
  return started;
}

/** Reads the session again: an earlier request may have finished since. */
async function askNow<T extends Confirmable>(parts: ConfirmParts<T>, roleBook: RoleBook, id: string): Promise<Asked<T>> {
  const { sessions, store, sealer, clock, steady, memory, providers } = parts;
  const session = await sessions.byId(id);
  if (session === undefined || session.owner.kind !== 'identity') return { refuse: 'session-expired' };
  const dueMs = whenDue(parts, session);
  if (dueMs === null || clock() < dueMs) return { session, askAgainMs: dueMs };
  // The grace begins now and is stored. With the former due time it would never end.
  if (dueMs !== session.refreshAfterMs) await sessions.setRefreshAfter(id, dueMs);
  const { identity } = session.owner;
  const provider = providers.find(({ idp }) => idp === identity.idp);
  const sealed = await store.idpTokens.read(id);
  const stored = sealed === undefined ? undefined : sealer.open(sealed, sealingOfTokens(id));
  if (provider === undefined || stored === undefined) return await end(parts, session, 'session-expired', 'what the provider gave for it is gone');
  const answer = await provider.confirm(stored, identity);
  if (answer.state === 'ended') {
    if (answer.isRefused) await store.identities.setRefused(session.owner.identityId);
    return await end(parts, session, answer.reason, answer.detail);
  }
  if (answer.state === 'live') return await goOn(parts, { roleBook, session, word: provider.word, proof: answer.proof });
  parts.onNoAnswer(identity.idp, answer.detail);
  forgetOld(memory, steady());
  memory.retryAtMs.set(id, steady() + CONFIRM_LIMITS.retryMs);
  return 'no-answer';
}

interface GoesOn<T extends Confirmable> {
  readonly roleBook: RoleBook;
  readonly session: T;
  readonly word: string;
  readonly proof: Proven;
}

/** Stores the new tokens first: a provider that rotates them accepts no others. */
async function goOn<T extends Confirmable>(parts: ConfirmParts<T>, { roleBook, session, word, proof }: GoesOn<T>): Promise<Asked<T>> {
  const { sessions, store, sealer, memory } = parts;
  const { id } = session;
  if (proof.stored !== null) await store.idpTokens.put(id, sealer.seal(proof.stored, sealingOfTokens(id)));
  memory.retryAtMs.delete(id);
  const known = await provisionedIdentity(store.identities, proof);
  if (!known.ok) {
    if (session.owner.kind === 'identity') await store.identities.setRefused(session.owner.identityId);
    return await end(parts, session, known.reason, known.detail);
  }
  // Before the gate, so that the person's other sessions lose removed rights at once.
  if ((await store.identities.put(proof.identity, word)) === undefined) return await end(parts, session, 'identity-name-taken', 'the new name is taken');
  if (roleBook.ofIdentity(known.identity).length === 0) return await end(parts, session, 'role-missing', 'no role is left');
  await sessions.setRefreshAfter(id, proof.refreshAfterMs);
  const now = await sessions.byId(id);
  if (now !== undefined) return { session: now, askAgainMs: now.refreshAfterMs };
  // The session ended while the provider was asked: remove its tokens.
  await store.idpTokens.remove(id);
  return { refuse: 'session-expired' };
}

async function end<T extends Confirmable>(parts: ConfirmParts<T>, session: T, reason: ReasonCode, detail: string): Promise<Asked<T>> {
  parts.memory.retryAtMs.delete(session.id);
  if (await parts.sessions.end(session.id)) await parts.onEnded(session, reason, detail);
  else await parts.store.idpTokens.remove(session.id);
  return { refuse: 'session-expired' };
}

/** Of sessions that are no longer in use. */
function forgetOld({ retryAtMs }: Pick<ConfirmMemory, 'retryAtMs'>, steadyMs: number): void {
  for (const [id, atMs] of retryAtMs) if (atMs <= steadyMs) retryAtMs.delete(id);
}

/** A provider's tokens are sealed for one session, and cannot be moved to another. */
export function sealingOfTokens(sessionId: string): string {
  return `tokens of session ${sessionId}`;
}
