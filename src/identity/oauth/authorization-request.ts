// The request of a client for an authorization code (RFC 6749 4.1.1), parsed strictly. Errors reach the client only once its redirect URI is verified.

import type { PublicUrl } from '../../config/config.ts';
import type { ClientScope } from '../../contract/client-scopes.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { isRedirectUri, isSameRedirect } from '../../contract/redirect-uri.ts';
import type { Clients, OAuthClient } from './clients.ts';
import { type Form, parseParameters } from './form.ts';
import { issuerOf } from './metadata.ts';
import { parseRequested } from './requested.ts';

export interface AuthorizationRequest extends AnswerPlace {
  readonly clientId: string;
  readonly scopes: readonly ClientScope[];
  readonly audience: string;
  /** The client requests an ID token, with this nonce in it. */
  readonly openid: boolean;
  readonly nonce: string | null;
  /** SHA-256 of the client's verifier, base64url (RFC 7636). */
  readonly challenge: string;
}

/** Where the answer goes. */
export interface AnswerPlace {
  readonly redirectUri: string;
  readonly state: string | null;
}

export type ReadAuthorization =
  | { readonly ok: true; readonly request: AuthorizationRequest; readonly client: OAuthClient }
  /** `location`: the client gets the error. Without it, the person does. */
  | { readonly ok: false; readonly reason: ReasonCode; readonly detail?: string | undefined; readonly location?: string };

export interface AuthorizationRequestParts {
  readonly clients: Clients;
  readonly publicUrl: PublicUrl;
}

/** `query`: without the question mark. `principalId`: the signed-in person. */
export async function readAuthorization({ clients, publicUrl }: AuthorizationRequestParts, query: string, principalId: string): Promise<ReadAuthorization> {
  const form = parseParameters(query);
  if (typeof form === 'string') return { ok: false, reason: 'request-invalid', detail: form };
  const found = await clients.find(form.get('client_id') ?? '', principalId);
  if (!found.ok) return found;
  const { client } = found;
  const redirectUri = form.get('redirect_uri') ?? '';
  const isRegistered = isRedirectUri(redirectUri) && client.redirectUris.some((registered) => isSameRedirect(registered, redirectUri));
  if (!isRegistered) return { ok: false, reason: 'redirect-unknown' };
  const place = { redirectUri, state: form.get('state') ?? null };
  const refuse = ({ error, detail }: Wrong): ReadAuthorization => {
    return {
      ok: false,
      reason: 'request-invalid',
      detail,
      location: answerUrl(publicUrl, place, { error, ...(detail !== undefined && { error_description: detail }) }),
    };
  };
  const wrong = checkFlow(form);
  if (wrong !== undefined) return refuse(wrong);
  const requested = parseRequested(form, publicUrl);
  if ('error' in requested) return refuse(requested);
  const challenge = form.get('code_challenge') ?? '';
  return { ok: true, client, request: { ...place, ...requested, clientId: client.id, challenge, nonce: form.get('nonce') ?? null } };
}

/** RFC 9207: with the issuer, so that a client of several servers cannot be confused. */
export function answerUrl(publicUrl: PublicUrl, { redirectUri, state }: AnswerPlace, answer: Readonly<Record<string, string>>): string {
  const params = new URLSearchParams({ ...answer, ...(state !== null && { state }), iss: issuerOf(publicUrl) });
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${params}`;
}

interface Wrong {
  readonly error: string;
  readonly detail?: string;
}

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

function checkFlow(form: Form): Wrong | undefined {
  if (form.has('request')) return { error: 'request_not_supported', detail: 'Request objects are not accepted here.' };
  if (form.has('request_uri')) return { error: 'request_uri_not_supported', detail: 'Request objects are not accepted here.' };
  if (!form.has('response_type')) return { error: 'invalid_request', detail: 'response_type is needed.' };
  if (form.get('response_type') !== 'code') return { error: 'unsupported_response_type', detail: 'The response_type is code.' };
  if (![undefined, 'query'].includes(form.get('response_mode'))) return { error: 'invalid_request', detail: 'The response_mode is query.' };
  if (form.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(form.get('code_challenge') ?? '')) {
    return { error: 'invalid_request', detail: 'PKCE is needed: code_challenge, with the code_challenge_method S256.' };
  }
  // A person allows each login, so none is possible without a page.
  if (form.get('prompt')?.split(' ').includes('none')) return { error: 'interaction_required' };
  return undefined;
}
