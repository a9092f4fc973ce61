// The result of verifying one credential: the principal that it proves, or the reason why it proves nothing.
import type { Credential, Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { CredentialOwner } from './owner.ts';

interface Proven {
  readonly principal: Principal;
  readonly credential: Credential;
}

export interface Refusal {
  readonly ok: false;
  readonly reason: ReasonCode;
  /** Only if the secret was right: a guess identifies nothing. */
  readonly credentialId: string | null;
  /** With `credentialId`: whose credential it is, for the record alone. */
  readonly owner?: CredentialOwner;
  /** The credential is good, but its principal is locked out. */
  readonly proven?: Proven;
}

export type Authentication = ({ readonly ok: true } & Proven) | Refusal;

export function refuse(reason: ReasonCode, credentialId: string | null = null, owner?: CredentialOwner): Refusal {
  return { ok: false, reason, credentialId, ...(owner !== undefined && { owner }) };
}
