// Open tunnels of any kind: the number for a principal, those with an expired credential, and deciding them again.
import type { Clock } from '../../contract/clock.ts';

export interface Tunnel {
  readonly authorization: { readonly principal: { readonly id: string }; readonly credential: { readonly expiresAtMs: number | null } };
}

const AT_ONCE = 50;

export function countOf(tunnels: Iterable<Tunnel>, principal: string): number {
  return [...tunnels].filter(({ authorization }) => authorization.principal.id === principal).length;
}

export interface Rechecked<T> {
  readonly sessions: Iterable<T>;
  readonly parts: { readonly clock: Clock };
  /** Increased by every recheck: a decision from before is made again. */
  generation: number;
}

/** Decides all open tunnels again. Resolves when the denied ones are ending. `recheckOne` must not reject. */
export async function recheckAll<T, C extends Rechecked<T>>(core: C & Rechecked<T>, recheckOne: (core: C, tunnel: T) => Promise<void>): Promise<void> {
  core.generation += 1;
  await eachAgain(core.sessions, (tunnel) => recheckOne(core, tunnel));
}

/** Decides tunnels with an expired credential again. A browser session may have been extended since: only the decider knows. */
export async function recheckExpired<T extends Tunnel, C extends Rechecked<T>>(core: C, recheckOne: (core: C, tunnel: T) => Promise<void>): Promise<void> {
  const nowMs = core.parts.clock();
  const expired = [...core.sessions].filter(({ authorization: { credential } }) => credential.expiresAtMs !== null && credential.expiresAtMs <= nowMs);
  await eachAgain(expired, (tunnel) => recheckOne(core, tunnel));
}

async function eachAgain<T>(tunnels: Iterable<T>, decideAgain: (tunnel: T) => Promise<void>): Promise<void> {
  const all = [...tunnels];
  for (let start = 0; start < all.length; start += AT_ONCE) await Promise.all(all.slice(start, start + AT_ONCE).map(decideAgain));
}
