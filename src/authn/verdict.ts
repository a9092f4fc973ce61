// What looking at one credential gives: the principal it proves, or the reason why it proves nothing.
import type { Credential, Principal } from '../contract/principal.ts';
import type { ReasonCode } from '../contract/reasons.ts';

/** `credentialId` only when the secret was right: a guess names nothing. */
export type Authentication =
  | { readonly ok: true; readonly principal: Principal; readonly credential: Credential }
  | { readonly ok: false; readonly reason: ReasonCode; readonly credentialId: string | null };

export function refuse(reason: ReasonCode, credentialId: string | null = null): Authentication {
  return { ok: false, reason, credentialId };
}
