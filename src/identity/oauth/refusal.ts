// An error of the token endpoint: OAuth's code for libraries, and Lictor's reason for people and records.
import type { PrincipalKind } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';

/** RFC 6749 5.2, RFC 8693 2.2.2, RFC 8707 2. `temporarily_unavailable`: the client may try again. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  /** RFC 8628 3.5. */
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token';

export interface OAuthRefusal {
  readonly ok: false;
  readonly error: OAuthError;
  readonly reason: ReasonCode;
  /** More precise than the reason's text. Quotes nothing of the request. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  /** The principal of the rejected proof, once it was proven. */
  readonly principalId?: string;
  readonly principalKind?: PrincipalKind;
  /** The principals that it would act for. */
  readonly onBehalfOf?: readonly string[];
  readonly grantId?: string;
  readonly idp?: string;
  readonly credentialId?: string;
}

export function refuseRequest(detail: string): OAuthRefusal {
  return { ok: false, error: 'invalid_request', reason: 'request-invalid', detail };
}

/** The client waits, as it should: nothing is recorded, and it is not a failure of its address. */
export function isWaiting({ error }: OAuthRefusal): boolean {
  return error === 'authorization_pending' || error === 'slow_down';
}
