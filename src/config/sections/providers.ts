// identity_providers: each as what the code reads, and the checks that look at more than one of them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BREAK_GLASS } from '../../contract/names.ts';
import type { Config, IdentityProvider, JwtProvider, OidcProvider, PublicUrl, SamlProvider } from '../config.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
import { missingRules } from './open-issuers.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';

type WireProvider = WireConfig['identity_providers'][number];
type Wire<T extends WireProvider['type']> = Extract<WireProvider, { type: T }>;

export interface ProvidersSection {
  readonly wire: readonly WireProvider[];
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
  /** Undefined: broken itself. */
  readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'> | undefined;
}

/** What is wrong has been reported; the sound ones are answered, so that the rest of the file is checked as well. */
export function readProviders({ wire, baseDir, secrets, publicUrl }: ProvidersSection, report: Report): Config['identityProviders'] {
  const providers = wire.flatMap((provider, index) => {
    const read = readProvider(provider, { keys: ['identity_providers', index], baseDir, secrets, report });
    return read === undefined ? [] : [{ provider: read, index }];
  });
  checkIds(wire, report);
  checkOverlaps(providers, report);
  if (publicUrl !== undefined) checkNotOurselves(providers, `${publicUrl.origin}${publicUrl.basePath}`, report);
  return providers.map(({ provider }) => provider);
}

interface Place {
  readonly keys: Keys;
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
  readonly report: Report;
}

function readProvider(wire: WireProvider, place: Place): IdentityProvider | undefined {
  switch (wire.type) {
    case 'accounts':
      return { id: wire.id, type: 'accounts' };
    case 'oidc':
      return readOidc(wire, place);
    case 'saml':
      return readSaml(wire, place);
    case 'jwt':
      return readJwt(wire, place);
    case 'aws-iam':
      return readAwsIam(wire, place);
    case 'mtls':
      return { id: wire.id, type: 'mtls', principalFrom: wire.principal_from };
  }
}

function readOidc(wire: Wire<'oidc'>, place: Place): OidcProvider | undefined {
  const sound = checkUrl(wire.issuer, 'issuer', place);
  const clientSecret = readClientSecret(wire, place);
  const caFile = readCaFile(wire.ca_file, place);
  if (wire.scopes !== undefined && !wire.scopes.includes('openid')) {
    place.report([...place.keys, 'scopes'], 'lacks openid', 'Add openid: without it the provider sends no ID token.');
    return undefined;
  }
  if (!sound || clientSecret === undefined || caFile === undefined) return undefined;
  const scopes = wire.scopes ?? ['openid', 'profile', 'email'];
  return { id: wire.id, type: 'oidc', issuer: wire.issuer, clientId: wire.client_id, clientSecret, scopes, groupsClaim: wire.groups_claim ?? 'groups', caFile };
}

function readSaml(wire: Wire<'saml'>, place: Place): SamlProvider | undefined {
  const { keys, report, baseDir } = place;
  const caFile = readCaFile(wire.ca_file, place);
  const groupsAttribute = wire.groups_attribute ?? 'groups';
  if ((wire.metadata_url === undefined) === (wire.metadata_file === undefined)) {
    report(
      [...keys, 'metadata_url'],
      'and metadata_file: exactly one of the two is needed',
      'Give the address of the metadata of the provider, or a file that holds it.',
    );
    return undefined;
  }
  if (wire.metadata_url !== undefined && !checkUrl(wire.metadata_url, 'metadata_url', place)) return undefined;
  if (caFile === undefined) return undefined;
  const metadata = wire.metadata_url === undefined ? { file: resolve(baseDir, wire.metadata_file ?? '') } : { url: wire.metadata_url };
  if ('file' in metadata && !isReadable(metadata.file)) {
    report([...keys, 'metadata_file'], `${metadata.file} cannot be read`, 'Create it, correct the path, or let the user that runs lictor read it.');
    return undefined;
  }
  return { id: wire.id, type: 'saml', metadata, groupsAttribute, idpInitiated: wire.idp_initiated ?? false, caFile };
}

function readJwt(wire: Wire<'jwt'>, place: Place): JwtProvider | undefined {
  const { keys, report } = place;
  const audiences = typeof wire.audience === 'string' ? [wire.audience] : wire.audience;
  const caFile = readCaFile(wire.ca_file, place);
  if (audiences.length === 0) report([...keys, 'audience'], 'is empty', 'Name the audience that tokens for this gateway carry, e.g. lictor.');
  const soundIssuer = checkUrl(wire.issuer, 'issuer', place);
  const missing = missingRules(wire.issuer, wire.require ?? {});
  if (missing !== undefined) {
    report(
      [...keys, 'require'],
      `names nobody: ${wire.issuer} gives everybody in the world a token for any audience`,
      `Name the owner to the end of its name: { repository: acme/etl, ref: refs/heads/main }, { project_path: acme/* }. One of: ${missing.join(', ')}.`,
    );
  }
  const soundKeys = wire.jwks_uri === undefined || checkUrl(wire.jwks_uri, 'jwks_uri', place);
  if (missing !== undefined || !soundIssuer || !soundKeys || caFile === undefined || audiences.length === 0) return undefined;
  return {
    id: wire.id,
    type: 'jwt',
    issuer: wire.issuer,
    audiences,
    jwksUri: wire.jwks_uri ?? null,
    require: wire.require ?? {},
    principalClaim: wire.principal_claim ?? 'sub',
    caFile,
  };
}

function readAwsIam(wire: Wire<'aws-iam'>, place: Place): IdentityProvider | undefined {
  const caFile = readCaFile(wire.ca_file, place);
  if (wire.sts_endpoint !== undefined && !checkUrl(wire.sts_endpoint, 'sts_endpoint', place)) return undefined;
  const wrong = (wire.regions ?? []).findIndex((region) => !/^[a-z]{2}(?:-[a-z]+)+-[0-9]$/.test(region));
  if (wrong !== -1) {
    place.report([...place.keys, 'regions', wrong], 'is no AWS region', 'Write it as eu-west-1.');
    return undefined;
  }
  if (wire.sts_endpoint !== undefined && new URL(wire.sts_endpoint).pathname !== '/') {
    place.report([...place.keys, 'sts_endpoint'], 'has a path', 'Write scheme and host alone: https://vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com.');
    return undefined;
  }
  if (caFile === undefined) return undefined;
  return { id: wire.id, type: 'aws-iam', audience: wire.audience, regions: wire.regions ?? [], stsEndpoint: wire.sts_endpoint ?? null, caFile };
}

/** What a provider says is believed: its address must not be one that anybody on the way can answer for. */
function checkUrl(text: string, key: string, { keys, report }: Place): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') {
    report([...keys, key], 'is no plain address', 'Write it as https://idp.example.com/realms/data, without user, password or #.');
    return false;
  }
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return true;
  report([...keys, key], 'is plain http: anybody on the way could answer for the provider', 'Write https://; http is for localhost alone.');
  return false;
}

/** Null: none is given. Undefined: reported. */
function readClientSecret(wire: Wire<'oidc'>, { keys, baseDir, secrets, report }: Place): string | null | undefined {
  if (wire.client_secret !== undefined && wire.client_secret_file !== undefined) {
    report([...keys, 'client_secret'], 'stands beside client_secret_file', 'Keep one of the two.');
    return undefined;
  }
  if (secrets === 'skip') return null;
  if (wire.client_secret !== undefined) return wire.client_secret;
  if (wire.client_secret_file === undefined) return null;
  const text = readSecretFile(resolve(baseDir, wire.client_secret_file), [...keys, 'client_secret_file'], report)?.replace(/\r?\n$/, '');
  if (text !== undefined && !/^\P{Cc}+$/u.test(text)) {
    report([...keys, 'client_secret_file'], 'must hold the secret on one line', 'Write the client secret of the provider into it, and nothing else.');
    return undefined;
  }
  return text;
}

/** Null: the system's authorities. Undefined: reported. */
function readCaFile(path: string | undefined, { keys, baseDir, report }: Place): string | null | undefined {
  if (path === undefined) return null;
  const file = resolve(baseDir, path);
  if (readPemFile(file) !== null) return file;
  const remedy = "Give the certificates of the authorities that signed the provider's own, as PEM.";
  return void report([...keys, 'ca_file'], `${file} cannot be read as PEM certificates`, remedy);
}

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}

function checkIds(wire: readonly WireProvider[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { id }] of wire.entries()) {
    if (seen.has(id)) report(['identity_providers', index, 'id'], `${id} is there twice`, 'Give each identity provider an id of its own.');
    seen.add(id);
    if (id === BREAK_GLASS) report(['identity_providers', index, 'id'], `${id} is the name of accounts that end by themselves`, 'Take another id.');
  }
  for (const [type, what] of [
    ['accounts', 'there is one set of built-in accounts'],
    ['mtls', 'a certificate has one owner'],
    ['aws-iam', 'list regions and bind roles by ARN'],
  ] as const) {
    if (wire.filter((provider) => provider.type === type).length > 1)
      report(['identity_providers'], `holds more than one of type ${type}`, `Keep one: ${what}.`);
  }
}

interface Placed {
  readonly provider: IdentityProvider;
  readonly index: number;
}

/** What the gateway itself signs is for services, and never a credential here. */
function checkNotOurselves(placed: readonly Placed[], own: string, report: Report): void {
  for (const { provider, index } of placed) {
    if (provider.type !== 'jwt' || provider.issuer.replace(/\/$/, '') !== own) continue;
    report(['identity_providers', index, 'issuer'], 'is this gateway itself', 'Name the issuer that the tokens come from.');
  }
}

/** A token must never be two providers' word: which one is chosen would decide its rights. */
function checkOverlaps(placed: readonly Placed[], report: Report): void {
  const jwts = placed.flatMap(({ provider, index }) => (provider.type === 'jwt' ? [{ provider, index }] : []));
  for (const [at, { provider, index }] of jwts.entries()) {
    const earlier = jwts
      .slice(0, at)
      .find((other) => other.provider.issuer === provider.issuer && other.provider.audiences.some((text) => provider.audiences.includes(text)));
    if (earlier !== undefined) {
      report(
        ['identity_providers', index, 'audience'],
        `overlaps ${earlier.provider.id}: the same issuer and audience`,
        'Give each an audience of its own, or make one provider of them and tell them apart by claim:KEY=VALUE members.',
      );
    }
    const login = placed.find(
      (other) => other.provider.type === 'oidc' && other.provider.issuer === provider.issuer && provider.audiences.includes(other.provider.clientId),
    );
    if (login !== undefined) {
      report(
        ['identity_providers', index, 'audience'],
        `is the client_id of ${login.provider.id}: every ID token of a login would be a credential`,
        'Let machines ask for tokens with an audience of their own.',
      );
    }
  }
}
