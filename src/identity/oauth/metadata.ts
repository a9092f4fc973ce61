// The metadata documents for clients: RFC 8414, OpenID Connect Discovery, RFC 9728.
import type { PublicUrl } from '../../config/config.ts';
import { CLIENT_SCOPES, MCP_SCOPES } from '../../contract/client-scopes.ts';
import { KEY_SET, MCP_PATH, OWN_PREFIX } from '../../contract/names.ts';
import { GRANT_TYPE } from './chain-exchange.ts';
import { DEVICE_GRANT_TYPE } from './device-grant.ts';

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
    authorization_endpoint: `${oauth}/authorize`,
    token_endpoint: `${oauth}/token`,
    device_authorization_endpoint: `${oauth}/device_authorization`,
    revocation_endpoint: `${oauth}/revoke`,
    jwks_uri: `${issuer}${KEY_SET}`,
    scopes_supported: ['openid', ...CLIENT_SCOPES],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    grant_types_supported: ['authorization_code', DEVICE_GRANT_TYPE, 'refresh_token', GRANT_TYPE],
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

/** Of the interface for agents. */
export function mcpResourceMetadata(publicUrl: PublicUrl): Document {
  const resource = mcpResource(publicUrl);
  return { ...resourceMetadata(publicUrl), resource, scopes_supported: MCP_SCOPES, resource_name: 'Prefect, for agents' };
}

/** The address of the interface for agents: the `resource` of its tokens (RFC 8707). */
export function mcpResource(publicUrl: PublicUrl): string {
  return `${issuerOf(publicUrl)}${MCP_PATH}`;
}
