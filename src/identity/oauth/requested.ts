// What a client requests: scopes, and the part of the gateway that its tokens are for (RFC 8707).

import type { PublicUrl } from '../../config/config.ts';
import { CLIENT_SCOPES, type ClientScope, isClientScope } from '../../contract/client-scopes.ts';
import { API_AUDIENCE } from '../authn/grant/verify.ts';
import type { Form } from './form.ts';
import type { OAuthRefusal } from './refusal.ts';

export interface Requested {
  readonly scopes: readonly ClientScope[];
  /** It requests an ID token. */
  readonly openid: boolean;
  readonly audience: string;
}

/** Words of the standards: an ID token; a refresh token, which is always issued. */
const FURTHER = ['openid', 'offline_access'];

/** Without scopes: all of them, which is everything that the person may do. An unknown one is rejected, never ignored. */
export function parseRequested(form: Form, publicUrl: PublicUrl): Requested | OAuthRefusal {
  const words = (form.get('scope') ?? '').split(' ').filter((word) => word !== '');
  if (words.some((word) => !isClientScope(word) && !FURTHER.includes(word))) {
    return { ok: false, error: 'invalid_scope', reason: 'request-invalid', detail: `The scopes are ${CLIENT_SCOPES.join(', ')} and openid.` };
  }
  const audience = parseAudience(form, publicUrl);
  if (audience === undefined) return { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'Tokens are given for this gateway alone.' };
  const scopes = CLIENT_SCOPES.filter((scope) => words.includes(scope));
  return { scopes: scopes.length === 0 ? CLIENT_SCOPES : scopes, openid: words.includes('openid'), audience };
}

/** Undefined: not a part of this gateway. */
export function parseAudience(form: Form, { origin, basePath }: PublicUrl): string | undefined {
  const base = `${origin}${basePath}`;
  const resource = form.get('resource') ?? base;
  if ([base, `${base}/`, `${base}/api`].includes(resource)) return API_AUDIENCE;
  return resource === `${base}/.lictor/mcp` ? 'mcp' : undefined;
}
