// A problem between the gateway and a provider, as a reason. Details name codes and hosts, never a token, a code or a body.
import { errors as joseErrors } from 'jose';
import * as openid from 'openid-client';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { type NotProven, notProven } from '../external/provider.ts';
import { OutboundError } from '../outbound.ts';
import { MetadataError } from './client.ts';

export interface Failure {
  readonly reason: ReasonCode;
  readonly detail: string;
}

/** For errors of openid-client, jose and Lictor. Any other error is a defect and is thrown again. */
export function failureOf(error: unknown): Failure {
  const away = outboundError(error);
  if (away !== undefined) return { reason: 'idp-unavailable', detail: away.message };
  if (error instanceof MetadataError) return { reason: 'idp-misconfigured', detail: error.message };
  if (error instanceof openid.ResponseBodyError) return oauthFailure(error);
  if (error instanceof openid.AuthorizationResponseError) return { reason: 'login-denied-by-idp', detail: `the provider answered ${word(error.error)}` };
  if (error instanceof openid.WWWAuthenticateChallengeError) return { reason: 'idp-misconfigured', detail: `the provider answered ${error.status}` };
  if (error instanceof joseErrors.JOSEError) return { reason: 'id-token-invalid', detail: `${error.code}${claimOf(error)}` };
  if (error instanceof openid.ClientError) return clientFailure(error);
  throw error;
}

export function failed(error: unknown): NotProven {
  const { reason, detail } = failureOf(error);
  return notProven(reason, detail);
}

function outboundError(error: unknown): OutboundError | undefined {
  if (error instanceof OutboundError) return error;
  return error instanceof Error && error.cause !== undefined ? outboundError(error.cause) : undefined;
}

/** RFC 6749, 5.2: the error of the token endpoint. */
function oauthFailure({ error, status }: openid.ResponseBodyError): Failure {
  const detail = `the token endpoint answered ${status} ${word(error)}`;
  if (status >= 500) return { reason: 'idp-unavailable', detail };
  return { reason: error === 'invalid_grant' ? 'login-code-refused' : 'idp-misconfigured', detail };
}

function clientFailure(error: openid.ClientError): Failure {
  const { code = 'no code' } = error;
  const { cause } = error;
  if (cause instanceof Response)
    return { reason: cause.status >= 500 ? 'idp-unavailable' : 'idp-misconfigured', detail: `the provider answered ${cause.status}` };
  const claim = claimOf(cause);
  if (claim === ' nonce' || isAbout(cause, 'nonce')) return { reason: 'id-token-other-login', detail: code };
  if (claim === ' sub' || code.startsWith('OAUTH_JWT_') || code === 'OAUTH_INVALID_RESPONSE') return { reason: 'id-token-invalid', detail: `${code}${claim}` };
  return { reason: 'idp-misconfigured', detail: `${code}${claim}` };
}

/** ` aud`, for the log. Empty if the error names no claim. */
function claimOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('claim' in error && typeof error.claim === 'string') return ` ${word(error.claim)}`;
  const { cause } = error;
  if (typeof cause !== 'object' || cause === null) return '';
  const named = 'claim' in cause ? cause.claim : 'attribute' in cause ? cause.attribute : undefined;
  return typeof named === 'string' ? ` ${word(named)}` : '';
}

/** For a missing claim: oauth4webapi names it only in its message. */
function isAbout(error: unknown, claim: string): boolean {
  return error instanceof Error && error.message.includes(`"${claim}"`);
}

/** The text comes from the provider, or from an attacker. Only a simple word reaches the log. */
function word(text: string): string {
  return /^[a-z0-9_.-]{1,64}$/i.test(text) ? text : 'something unreadable';
}
