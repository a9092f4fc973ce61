// A "no" of the token endpoint: OAuth's own code for libraries, and our reason for people and records.
import type { ReasonCode } from '../contract/reasons.ts';

/** RFC 6749 5.2, RFC 8693 2.2.2; `temporarily_unavailable` for what may be tried again. */
export type OAuthError = 'invalid_request' | 'invalid_grant' | 'invalid_scope' | 'invalid_target' | 'unsupported_grant_type' | 'temporarily_unavailable';

export interface OAuthRefusal {
  readonly ok: false;
  readonly error: OAuthError;
  readonly reason: ReasonCode;
  /** More precise than the reason's own words; quotes nothing of the request. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  /** Whom the refused proof named, once it was proven. */
  readonly principalId?: string;
  readonly idp?: string;
  readonly credentialId?: string;
}

export function refuseRequest(detail: string): OAuthRefusal {
  return { ok: false, error: 'invalid_request', reason: 'request-invalid', detail };
}
