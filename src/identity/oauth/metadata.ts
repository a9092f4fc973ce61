// The metadata documents for clients: RFC 8414, OpenID Connect Discovery, RFC 9728.
import type { PublicUrl } from '../../config/config.ts';
import { CLIENT_SCOPES } from '../../contract/client-scopes.ts';
import { KEY_SET, OWN_PREFIX } from '../../contract/names.ts';
import { DEVICE_GRANT_TYPE } from './device-grant.ts';
import { GRANT_TYPE } from './token-exchange.ts';

type Document = Readonly<Record<string, unknown>>;

/** public_url without a slash at its end. Never change it: tokens and clients depend on it. */
export function issuerOf({ origin, basePath }: PublicUrl): string {
  return `${origin}${basePath}`;
}

/** For both documents. The additional members of OpenID Connect are harmless in RFC 8414. */
export function serverMetadata(publicUrl: PublicUrl): Document {
  const issuer = issuerOf(publicUrl);
  const oauth = `${issuer}${OWN_PREFIX}oauth`;
  return {
    issuer,
    token_endpoint: `${oauth}/token`,
    device_authorization_endpoint: `${oauth}/device_authorization`,
    revocation_endpoint: `${oauth}/revoke`,
    jwks_uri: `${issuer}${KEY_SET}`,
    scopes_supported: ['openid', ...CLIENT_SCOPES],
    // There is no authorization code flow, so there is no response type.
    response_types_supported: [],
    grant_types_supported: [DEVICE_GRANT_TYPE, 'refresh_token', GRANT_TYPE],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

export function resourceMetadata(publicUrl: PublicUrl): Document {
  const issuer = issuerOf(publicUrl);
  return { resource: issuer, authorization_servers: [issuer], scopes_supported: CLIENT_SCOPES, bearer_methods_supported: ['header'], resource_name: 'Prefect' };
}
