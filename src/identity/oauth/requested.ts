// What a client requests: scopes, and the part of the gateway that its tokens are for (RFC 8707).

import type { PublicUrl } from '../../config/config.ts';
import { CLIENT_SCOPES, type ClientScope, isClientScope, MCP_SCOPES } from '../../contract/client-scopes.ts';
import { API_AUDIENCE, MCP_AUDIENCE } from '../authn/grant/verify.ts';
import type { Form } from './form.ts';
import { issuerOf, mcpResource } from './metadata.ts';
import type { OAuthRefusal } from './refusal.ts';

export interface Requested {
  readonly scopes: readonly ClientScope[];
  /** It requests an ID token. */
  readonly openid: boolean;
  readonly audience: string;
}

/** Words of the standards: an ID token; a refresh token, which is always issued. */
const FURTHER = ['openid', 'offline_access'];

/** Without scopes: all of them, or all of the interface for agents. An unknown one is rejected, never ignored. */
export function parseRequested(form: Form, publicUrl: PublicUrl): Requested | OAuthRefusal {
  const words = (form.get('scope') ?? '').split(' ').filter((word) => word !== '');
  if (words.some((word) => !isClientScope(word) && !FURTHER.includes(word))) {
    return { ok: false, error: 'invalid_scope', reason: 'request-invalid', detail: `The scopes are ${CLIENT_SCOPES.join(', ')} and openid.` };
  }
  const audience = parseAudience(form, publicUrl);
  if (audience === undefined) return { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'Tokens are given for this gateway alone.' };
  const scopes = CLIENT_SCOPES.filter((scope) => words.includes(scope));
  const all = audience === API_AUDIENCE ? CLIENT_SCOPES : MCP_SCOPES;
  return { scopes: scopes.length === 0 ? all : scopes, openid: words.includes('openid'), audience };
}

/** Undefined: not a part of this gateway. */
export function parseAudience(form: Form, publicUrl: PublicUrl): string | undefined {
  const base = issuerOf(publicUrl);
  const resource = form.get('resource') ?? base;
  if ([base, `${base}/`, `${base}/api`].includes(resource)) return API_AUDIENCE;
  return resource === mcpResource(publicUrl) ? MCP_AUDIENCE : undefined;
}
