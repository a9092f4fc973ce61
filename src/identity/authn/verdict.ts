// What looking at one credential gives: the principal it proves, or the reason why it proves nothing.
import type { Credential, Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';

interface Proven {
  readonly principal: Principal;
  readonly credential: Credential;
}

export interface Refusal {
  readonly ok: false;
  readonly reason: ReasonCode;
  /** Only when the secret was right: a guess names nothing. */
  readonly credentialId: string | null;
  /** The credential is good, and whom it proves is shut out. */
  readonly proven?: Proven;
}

export type Authentication = ({ readonly ok: true } & Proven) | Refusal;

export function refuse(reason: ReasonCode, credentialId: string | null = null): Refusal {
  return { ok: false, reason, credentialId };
}
