// Open tunnels, whatever goes through them: how many somebody has, whose credential is over, and deciding them again.

export interface Tunnel {
  readonly authorization: { readonly principal: { readonly id: string }; readonly credential: { readonly expiresAtMs: number | null } };
}

const AT_ONCE = 50;

export function countOf(tunnels: Iterable<Tunnel>, principal: string): number {
  return [...tunnels].filter(({ authorization }) => authorization.principal.id === principal).length;
}

/** Those whose credential has ended by its own clock. */
export function expiredAt<T extends Tunnel>(tunnels: Iterable<T>, nowMs: number): readonly T[] {
  return [...tunnels].filter(({ authorization: { credential } }) => credential.expiresAtMs !== null && credential.expiresAtMs <= nowMs);
}

/** Each that is among them at the call; resolves when all are decided. `decideAgain` must not reject. */
export async function eachAgain<T>(tunnels: Iterable<T>, decideAgain: (tunnel: T) => Promise<void>): Promise<void> {
  const all = [...tunnels];
  for (let start = 0; start < all.length; start += AT_ONCE) await Promise.all(all.slice(start, start + AT_ONCE).map(decideAgain));
}
