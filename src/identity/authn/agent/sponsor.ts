// Is the sponsor of an agent still there, and with which rights? Checked at each authentication of the agent.
import type { Agent, Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { SessionOwner } from '../../../store/owners.ts';
import type { Store } from '../../../store/store.ts';
import { createRoleBook } from '../roles.ts';
import { ownerPrincipal } from '../session/session.ts';

/** A provider does not report that a person has left, so an agent ends when its sponsor has not logged in for this time. */
export const SPONSOR_SEEN_MS = 30 * 86_400_000;

export type SponsorStanding =
  | {
      readonly ok: true;
      /** With the present roles. */
      readonly principal: Principal;
      /** Decisions based on it must not be cached longer; null: the standing does not end by itself. */
      readonly untilMs: number | null;
    }
  /** `why`: ends a sentence that begins with the sponsor. */
  | { readonly ok: false; readonly why: string };

export interface SponsorParts {
  readonly store: Pick<Store, 'accounts' | 'identities'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles'>;
  readonly clock: Clock;
}

export type FindSponsor = (sponsor: Agent['sponsor']) => Promise<SponsorStanding>;

export function createFindSponsor(parts: SponsorParts): FindSponsor {
  const owners = { providers: parts.config.identityProviders, roleBook: createRoleBook(parts.config.roles) };
  return async (sponsor) => {
    const found = await ownerOf(parts, sponsor);
    if ('why' in found) return { ok: false, why: found.why };
    const principal = ownerPrincipal(found.owner, owners);
    if (principal === undefined) return { ok: false, why: 'belongs to a provider that lictor.yaml does not have, or has changed' };
    if (principal.grants.length === 0) return { ok: false, why: 'has no role' };
    return { ok: true, principal, untilMs: found.untilMs };
  };
}

type Found = { readonly owner: SessionOwner; readonly untilMs: number | null } | { readonly why: string };

async function ownerOf({ store, config, clock }: SponsorParts, { name, idp }: Agent['sponsor']): Promise<Found> {
  if (config.identityProviders.some(({ id, type }) => id === idp && type === 'accounts')) {
    const account = await store.accounts.byName(name);
    return account === undefined ? { why: 'has no account, or it has expired' } : { owner: { kind: 'account', account }, untilMs: account.expiresMs };
  }
  const known = await store.identities.standingOf(idp, name);
  if (known === undefined) return { why: 'has not logged in yet' };
  const { isRefused, seenMs, ...identity } = known;
  if (isRefused) return { why: 'must log in again: the provider no longer confirms this person' };
  const untilMs = seenMs + SPONSOR_SEEN_MS;
  return clock() < untilMs ? { owner: { kind: 'identity', ...identity }, untilMs } : { why: 'has not logged in for 30 days' };
}
