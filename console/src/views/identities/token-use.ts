// Which tokens deserve a look: never used, unused for long, or about to end.

export interface TokenFacts {
  readonly name: string;
  readonly roles: readonly string[];
  readonly state: 'live' | 'unconfirmed' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export const USES = ['any', 'never', 'idle', 'ending', 'expired'] as const;
export type Use = (typeof USES)[number];

export const USE_WORDS: Readonly<Record<Use, string>> = {
  any: 'All',
  never: 'Never used',
  idle: 'Unused for 90 days',
  ending: 'End in 14 days',
  expired: 'Expired',
};

const DAY_MS = 86_400_000;
const IDLE_MS = 90 * DAY_MS;
const ENDING_MS = 14 * DAY_MS;

/** `any` for another text: an address may be mistyped. */
export function useOf(text: string): Use {
  return USES.find((use) => use === text) ?? 'any';
}

export function isOfUse(token: TokenFacts, use: Use, nowMs: number): boolean {
  if (use === 'any') return true;
  if (use === 'expired' || token.state === 'expired') return use === 'expired' && token.state === 'expired';
  if (use === 'never') return token.last_used_at === null;
  if (use === 'idle') return token.last_used_at !== null && nowMs - Date.parse(token.last_used_at) >= IDLE_MS;
  return token.expires_at !== null && Date.parse(token.expires_at) - nowMs <= ENDING_MS;
}

/** How many tokens each filter shows. */
export function countUses(tokens: readonly TokenFacts[], nowMs: number): Readonly<Record<Use, number>> {
  const count = (use: Use): number => tokens.filter((token) => isOfUse(token, use, nowMs)).length;
  return { any: tokens.length, never: count('never'), idle: count('idle'), ending: count('ending'), expired: count('expired') };
}

/** Never used first, then the one that was not used for the longest time. */
export function byLastUse(a: TokenFacts, b: TokenFacts): number {
  return (a.last_used_at ?? '').localeCompare(b.last_used_at ?? '') || a.created_at.localeCompare(b.created_at) || a.name.localeCompare(b.name);
}
