// identity_providers: who says who somebody is. Shapes are fixed by the contract.
import { z } from 'zod';
import { filePath, httpUrl, slug, strings, text } from './scalars.ts';

const oidc = z.strictObject({
  id: slug,
  type: z.literal('oidc'),
  issuer: httpUrl,
  client_id: text,
  client_secret_file: filePath.optional(),
  client_secret: text.optional(),
  scopes: strings.optional(),
  groups_claim: text.optional(),
  ca_file: filePath.optional(),
});

const saml = z.strictObject({
  id: slug,
  type: z.literal('saml'),
  metadata_url: httpUrl.optional(),
  metadata_file: filePath.optional(),
  groups_attribute: text.optional(),
  idp_initiated: z.boolean().optional(),
  ca_file: filePath.optional(),
});

const jwt = z.strictObject({
  id: slug,
  type: z.literal('jwt'),
  issuer: httpUrl,
  audience: z.union([text, strings]),
  jwks_uri: httpUrl.optional(),
  require: z.record(text, text).optional(),
  principal_claim: text.optional(),
  ca_file: filePath.optional(),
});

const awsIam = z.strictObject({
  id: slug,
  type: z.literal('aws-iam'),
  audience: text,
  regions: strings.optional(),
  sts_endpoint: httpUrl.optional(),
  ca_file: filePath.optional(),
});

const mtls = z.strictObject({ id: slug, type: z.literal('mtls'), principal_from: z.enum(['san_uri', 'san_dns', 'subject_cn']) });

const accounts = z.strictObject({ id: slug, type: z.literal('accounts') }).describe('Built-in accounts: lictor account add NAME --role R.');

export const identityProvider = z.discriminatedUnion('type', [accounts, oidc, saml, jwt, awsIam, mtls]);
