// Does what stands on a provider's session (a browser session, a login of the command line) go on? The provider is asked when it is due, once for however many requests come at the same time.
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../../config/config.ts';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { SessionOwner } from '../../../store/owners.ts';
import type { StoredSession } from '../../../store/sessions.ts';
import type { Store } from '../../../store/store.ts';
import { createRoleBook, type RoleBook } from '../roles.ts';
import { aboutTokens } from './kept-tokens.ts';
import type { ExternalProvider, Proven } from './provider.ts';

/** A browser session, or a grant with tokens of its own. */
export interface Confirmable {
  readonly id: string;
  readonly owner: SessionOwner;
  /** When the provider must be asked again; null: never. */
  readonly refreshAfterMs: number | null;
}

/** Answers the session as it is now. `refuse`: it has ended, or nobody could say for too long that it goes on. */
export type Confirm<T extends Confirmable = StoredSession> = (
  session: T,
) => Promise<Confirmed<T> | { readonly refuse: 'session-expired' | 'session-unconfirmed' }>;

export interface Confirmed<T extends Confirmable> {
  readonly session: T;
  /** When to ask next; null: never. */
  readonly askAgainMs: number | null;
}

export const CONFIRM_LIMITS = {
  /** A session whose provider gives no answer lives on so long after it should have been asked. */
  graceMs: 15 * 60_000,
  /** Between two tries at a provider that gives no answer. */
  retryMs: 10_000,
  /** A request waits so long for the provider; then the grace decides, and the question goes on. Below nginx's 5 s for a decision. */
  waitMs: 3000,
} as const;

/**
 * What is being asked just now, and when a provider that gave no answer may be asked again, by session. It outlives every
 * configuration: two questions with one refresh token would end the session at a provider that rotates them.
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

/** Where they are kept. */
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
  /** A session ended because of what the provider said. */
  readonly onEnded: (session: T, reason: ReasonCode, detail: string) => Promise<void>;
  /** The provider gave no answer. */
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

/** Now, where it was put off for longer than its provider ever does: that was by a clock that has been put back since. Null: never. */
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

/** Joins a question that is under way; leaves a provider alone that has just given no answer. */
function ask<T extends Confirmable>(parts: ConfirmParts<T>, roleBook: RoleBook, { id }: T): Promise<Asked<T>> {
  const { memory, steady } = parts;
  const running = memory.asking.get(id);
  if (running !== undefined) return running;
  if ((memory.retryAtMs.get(id) ?? Number.NEGATIVE_INFINITY) > steady()) return Promise.resolve('no-answer');
  const started = askNow(parts, roleBook, id).finally(() => memory.asking.delete(id));
  memory.asking.set(id, started);
  return started;
}

/** The session is read again: an earlier question may have been answered since. */
async function askNow<T extends Confirmable>(parts: ConfirmParts<T>, roleBook: RoleBook, id: string): Promise<Asked<T>> {
  const { sessions, store, sealer, clock, steady, memory, providers } = parts;
  const session = await sessions.byId(id);
  if (session === undefined || session.owner.kind !== 'identity') return { refuse: 'session-expired' };
  const dueMs = whenDue(parts, session);
  if (dueMs === null || clock() < dueMs) return { session, askAgainMs: dueMs };
  // The grace begins now, and is remembered: by what was written before it would have no end.
  if (dueMs !== session.refreshAfterMs) await sessions.setRefreshAfter(id, dueMs);
  const { identity } = session.owner;
  const provider = providers.find(({ idp }) => idp === identity.idp);
  const sealed = await store.idpTokens.read(id);
  const stored = sealed === undefined ? undefined : sealer.open(sealed, aboutTokens(id));
  if (provider === undefined || stored === undefined) return await end(parts, session, 'session-expired', 'what the provider gave for it is gone');
  const answer = await provider.confirm(stored, identity);
  if (answer.state === 'ended') return await end(parts, session, answer.reason, answer.detail);
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

/** The new tokens are written before anything else: a provider that rotates them knows no other. */
async function goOn<T extends Confirmable>(parts: ConfirmParts<T>, { roleBook, session, word, proof }: GoesOn<T>): Promise<Asked<T>> {
  const { sessions, store, sealer, memory } = parts;
  const { id } = session;
  if (proof.stored !== null) await store.idpTokens.put(id, sealer.seal(proof.stored, aboutTokens(id)));
  memory.retryAtMs.delete(id);
  // Before the gate: the person's other sessions lose what is lost at once.
  if ((await store.identities.put(proof.identity, word)) === undefined) return await end(parts, session, 'identity-name-taken', 'the new name is taken');
  if (roleBook.ofIdentity(proof.identity).length === 0) return await end(parts, session, 'role-missing', 'no role is left');
  await sessions.setRefreshAfter(id, proof.refreshAfterMs);
  const now = await sessions.byId(id);
  if (now !== undefined) return { session: now, askAgainMs: now.refreshAfterMs };
  // Ended while the provider was asked: its tokens are not left behind.
  await store.idpTokens.remove(id);
  return { refuse: 'session-expired' };
}

async function end<T extends Confirmable>(parts: ConfirmParts<T>, session: T, reason: ReasonCode, detail: string): Promise<Asked<T>> {
  parts.memory.retryAtMs.delete(session.id);
  if (await parts.sessions.end(session.id)) await parts.onEnded(session, reason, detail);
  else await parts.store.idpTokens.remove(session.id);
  return { refuse: 'session-expired' };
}

/** Of sessions that nobody uses any more. */
function forgetOld({ retryAtMs }: Pick<ConfirmMemory, 'retryAtMs'>, steadyMs: number): void {
  for (const [id, atMs] of retryAtMs) if (atMs <= steadyMs) retryAtMs.delete(id);
}
