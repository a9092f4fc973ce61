// The kinds of identity providers: for each its keys, the value that the code reads, and what its principals can be.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type Complaint, checkedBy, reject, reporter, says } from '../schema/issues.ts';
import { filePath, httpUrl, secretText, slug, strings, text } from '../schema/scalars.ts';
import type { Files } from './context.ts';
import { authoritiesFile, secretFile } from './files.ts';
import { missingRules } from './open-issuers.ts';
import { isLoopback } from './public-url.ts';

export type MemberKind = 'user' | 'group' | 'claim' | 'arn' | '*';

interface ProviderKind {
  /** The forms of members that it can prove. */
  readonly members: readonly MemberKind[];
  /** Its principals are machines: the gateway has no list of them. */
  readonly isForWorkloads: boolean;
  /** Why a file has at most one of them; left out: several are fine. */
  readonly single?: string;
}

export const PROVIDER_KINDS: Readonly<Record<IdentityProvider['type'], ProviderKind>> = {
  accounts: { members: ['user', '*'], isForWorkloads: false, single: 'there is one set of built-in accounts' },
  oidc: { members: ['user', 'group', 'claim', '*'], isForWorkloads: false },
  saml: { members: ['user', 'group', 'claim', '*'], isForWorkloads: false },
  jwt: { members: ['user', 'group', 'claim', '*'], isForWorkloads: true },
  'aws-iam': { members: ['arn', 'claim', '*'], isForWorkloads: true, single: 'list regions and bind roles by ARN' },
  mtls: { members: ['user', '*'], isForWorkloads: true, single: 'a certificate has one owner' },
};

export type IdentityProvider = AccountsProvider | OidcProvider | SamlProvider | JwtProvider | AwsIamProvider | MtlsProvider;

export function identityProvider(files: Files) {
  return z.discriminatedUnion('type', [accounts, oidc(files), saml(files), jwt(files), awsIam(files), mtls]);
}

const providerId = slug.describe('Name of the provider in user:NAME@ID and in records: small letters, digits, hyphens.');

/** The built-in accounts. */
export interface AccountsProvider {
  readonly id: string;
  readonly type: 'accounts';
}

const accounts = z
  .strictObject({ id: providerId, type: z.literal('accounts').describe('accounts: built-in accounts (lictor account add NAME --role R).') })
  .transform((wire): AccountsProvider => wire);

/** People log in with a browser (OpenID Connect, authorization code). */
export interface OidcProvider {
  readonly id: string;
  readonly type: 'oidc';
  /** Exactly as the provider writes it in `iss`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client; PKCE alone. */
  readonly clientSecret: string | null;
  readonly scopes: readonly string[];
  /** A claim's name, or a dotted path: `realm_access.roles`. */
  readonly groupsClaim: string;
  /** PEM of the authorities that signed the provider's certificate; null: the system's. So for all providers. */
  readonly caFile: string | null;
}

function oidc(files: Files) {
  const scopes = strings.refine((list) => list.includes('openid'), says('lacks openid', 'Add openid: without it the provider sends no ID token.'));
  return z
    .strictObject({
      id: providerId,
      type: z.literal('oidc').describe('oidc: people log in at an OpenID Provider.'),
      issuer: providerUrl.describe("The provider's issuer, exactly as in its metadata: https://idp.example.com/realms/data"),
      client_id: text.describe('The client that the provider knows this gateway as.'),
      client_secret_file: secretFile(files, clientSecretComplaint).optional().describe("File with that client's secret."),
      client_secret: secretText.optional().describe('The same from the environment: ${NAME}. Never the secret itself.'),
      scopes: scopes.default(['openid', 'profile', 'email']).describe('What is asked for.'),
      groups_claim: text.default('groups').describe('Claim with the groups of a person.'),
      ca_file: authoritiesFile(files, "the provider's certificate").optional(),
    })
    .transform((wire, issues): OidcProvider => {
      const { id, type, issuer, client_id: clientId, client_secret: given, client_secret_file: fromFile, scopes: asked, groups_claim: groupsClaim } = wire;
      if (given !== undefined && fromFile !== undefined) reporter(issues)(['client_secret'], 'stands beside client_secret_file', 'Keep one of the two.');
      const clientSecret = files.secrets === 'skip' ? null : (given ?? fromFile ?? null);
      return { id, type, issuer, clientId, clientSecret, scopes: asked, groupsClaim, caFile: wire.ca_file ?? null };
    });
}

function clientSecretComplaint(secret: string): Complaint | undefined {
  if (/^\P{Cc}+$/u.test(secret)) return undefined;
  return { message: 'must hold the secret on one line', remedy: 'Write the client secret of the provider into it, and nothing else.' };
}

export interface SamlProvider {
  readonly id: string;
  readonly type: 'saml';
  /** Where the provider's metadata is: one of the two. */
  readonly metadata: { readonly url: string } | { readonly file: string };
  readonly groupsAttribute: string;
  /** A login that began at the provider is accepted, although this browser may not have wanted it. */
  readonly idpInitiated: boolean;
  readonly caFile: string | null;
}

function saml(files: Files) {
  return z
    .strictObject({
      id: providerId,
      type: z.literal('saml').describe('saml: people log in at a SAML identity provider.'),
      metadata_url: providerUrl.optional().describe("Address of the provider's metadata."),
      metadata_file: readableFile(files).optional().describe('Or a file that holds it.'),
      groups_attribute: text.default('groups').describe('Attribute with the groups of a person.'),
      idp_initiated: z.boolean().default(false).describe('Whether a login may begin at the provider, unasked (docs/how-to/login-saml.md).'),
      ca_file: authoritiesFile(files, "the provider's certificate").optional(),
    })
    .transform(({ id, type, metadata_url: url, metadata_file: file, ...wire }, issues): SamlProvider => {
      const [metadata, ...more] = [...(url === undefined ? [] : [{ url }]), ...(file === undefined ? [] : [{ file }])];
      if (metadata !== undefined && more.length === 0)
        return { id, type, metadata, groupsAttribute: wire.groups_attribute, idpInitiated: wire.idp_initiated, caFile: wire.ca_file ?? null };
      const remedy = 'Give the address of the metadata of the provider, or a file that holds it.';
      return reject(issues, { message: 'and metadata_file: exactly one of the two is needed', remedy }, ['metadata_url']);
    });
}

function readableFile({ baseDir }: Files) {
  return filePath.transform((path, issues) => {
    const file = resolve(baseDir, path);
    try {
      if (readFileSync(file).length > 0) return file;
    } catch {
      // Reported below, like an empty file.
    }
    return reject(issues, { message: `${file} cannot be read`, remedy: 'Create it, correct the path, or let the user that runs lictor read it.' });
  });
}

/** Machines show a JWT of this issuer, as Bearer or to exchange it. */
export interface JwtProvider {
  readonly id: string;
  readonly type: 'jwt';
  readonly issuer: string;
  /** One of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** Null: by discovery. */
  readonly jwksUri: string | null;
  /** Claims that must be there: name or dotted path -> pattern with `*`. */
  readonly require: Readonly<Record<string, string>>;
  readonly principalClaim: string;
  readonly caFile: string | null;
}

function jwt(files: Files) {
  const audience = z
    .union([text, strings])
    .transform((given) => [given].flat())
    .refine((list) => list.length > 0, says('is empty', 'Name the audience that tokens for this gateway carry, e.g. lictor.'));
  return z
    .strictObject({
      id: providerId,
      type: z.literal('jwt').describe('jwt: tokens that another issuer gives to workloads (CI, Kubernetes, client credentials).'),
      issuer: providerUrl.describe('iss of the tokens, exactly.'),
      audience: audience.describe('aud that the tokens must carry: a text, or a list of which one is enough.'),
      jwks_uri: providerUrl.optional().describe("The issuer's keys. Default: as its discovery document says."),
      require: z.record(text, text).default({}).describe('Claims that tokens must carry: { repository: acme/etl, ref: "refs/heads/*" }.'),
      principal_claim: text.default('sub').describe('Claim that names the principal.'),
      ca_file: authoritiesFile(files, "the issuer's certificate").optional(),
    })
    .superRefine(({ issuer, require }, issues) => {
      const missing = missingRules(issuer, require);
      if (missing === undefined) return;
      const remedy = `Name the owner to the end of its name: { repository: acme/etl, ref: refs/heads/main }, { project_path: acme/* }. One of: ${missing.join(', ')}.`;
      reject(issues, { message: `names nobody: ${issuer} gives everybody in the world a token for any audience`, remedy }, ['require']);
    })
    .transform(
      ({ id, type, issuer, audience: audiences, jwks_uri: jwksUri = null, require, principal_claim: principalClaim, ca_file: caFile = null }): JwtProvider => {
        return { id, type, issuer, audiences, jwksUri, require, principalClaim, caFile };
      },
    );
}

export interface AwsIamProvider {
  readonly id: string;
  readonly type: 'aws-iam';
  /** Value of the signed header `X-Lictor-Audience`. */
  readonly audience: string;
  /** Regions whose STS may be named; empty: the global endpoint alone. */
  readonly regions: readonly string[];
  /** Null: AWS's own endpoints. For tests and private links. */
  readonly stsEndpoint: string | null;
  readonly caFile: string | null;
}

function awsIam(files: Files) {
  const region = text.refine((name) => /^[a-z]{2}(?:-[a-z]+)+-[0-9]$/.test(name), says('is no AWS region', 'Write it as eu-west-1.'));
  const endpoint = providerUrl.refine(
    (url) => URL.parse(url)?.pathname === '/',
    says('has a path', 'Write scheme and host alone: https://vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com.'),
  );
  return z
    .strictObject({
      id: providerId.describe('Name of the provider in arn:...@ID and in records: small letters, digits, hyphens.'),
      type: z.literal('aws-iam').describe('aws-iam: roles of AWS, by a signed GetCallerIdentity.'),
      audience: text.describe('What clients sign for this gateway alone: its host name.'),
      regions: z.array(region).default([]).describe('Regions whose STS is asked: [eu-west-1].'),
      sts_endpoint: endpoint.optional().describe('Another STS, for private links and tests.'),
      ca_file: authoritiesFile(files, "STS's certificate").optional(),
    })
    .transform(({ id, type, audience, regions, sts_endpoint: stsEndpoint = null, ca_file: caFile = null }): AwsIamProvider => {
      return { id, type, audience, regions, stsEndpoint, caFile };
    });
}

/** Clients show a certificate of `tls.client_ca`. */
export interface MtlsProvider {
  readonly id: string;
  readonly type: 'mtls';
  readonly principalFrom: 'san_uri' | 'san_dns' | 'subject_cn';
}

const mtls = z
  .strictObject({
    id: providerId,
    type: z.literal('mtls').describe('mtls: certificates of clients, signed by tls.client_ca.'),
    principal_from: z.enum(['san_uri', 'san_dns', 'subject_cn']).describe('Which name of the certificate is the principal.'),
  })
  .transform(({ id, type, principal_from: principalFrom }): MtlsProvider => ({ id, type, principalFrom }));

/** Lictor trusts the answers of a provider. Over plain http, an attacker on the network could forge them. */
const providerUrl = httpUrl.superRefine(
  checkedBy((address) => {
    const url = URL.parse(address);
    if (url === null || url.username !== '' || url.password !== '' || url.hash !== '')
      return { message: 'is no plain address', remedy: 'Write it as https://idp.example.com/realms/data, without user, password or #.' };
    if (url.protocol === 'https:' || isLoopback(url.hostname)) return undefined;
    return { message: 'is plain http: anybody on the way could answer for the provider', remedy: 'Write https://; http is for localhost alone.' };
  }),
);
