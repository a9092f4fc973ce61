// A verified client certificate -> the identity it proves, or the reason why it proves none.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { MtlsProvider } from '../../../config/config.ts';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import type { Clock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { hasWildcard } from '../identity/name.ts';
import { type ClientCertificate, readClientCertificate, readRevocationLists } from './read.ts';

export type Inspected =
  | { readonly ok: true; readonly identity: Identity; readonly credentialId: string; readonly expiresAtMs: number }
  | { readonly ok: false; readonly reason: ReasonCode; readonly credentialId: string };

/** `escaped` is nginx's `$ssl_client_escaped_cert` of a certificate that it has verified. */
export type InspectCertificate = (escaped: string) => Inspected;

export interface CertificatesParts {
  readonly provider: MtlsProvider;
  /** PEM. nginx checks new connections with it; this check covers open ones. Null: no certificate is ever revoked. */
  readonly crlFile: string | null;
  readonly clock: Clock;
}

/** Parsing a certificate takes longer than a decision. */
const CACHED = 1000;

/** Throws `client-crl-unusable`. The lists are read once; a reload reads new ones. */
export function createCertificates({ provider, crlFile, clock }: CertificatesParts): InspectCertificate {
  const isRevoked = crlFile === null ? () => false : readRevoked(crlFile);
  const cache = new LRUCache<string, ClientCertificate>(atMostEntries(CACHED));
  return (escaped) => {
    const credentialId = `certificate:${createHash('sha256').update(escaped).digest('hex').slice(0, 16)}`;
    const refuse = (reason: ReasonCode): Inspected => ({ ok: false, reason, credentialId });
    const certificate = cache.get(escaped) ?? readClientCertificate(escaped);
    if (certificate === undefined) return refuse('certificate-refused');
    cache.set(escaped, certificate);
    if (certificate.expiresAtMs <= clock()) return refuse('certificate-expired');
    if (isRevoked(certificate)) return refuse('certificate-revoked');
    const name = nameFrom(certificate, provider.principalFrom);
    if (name === undefined) return refuse('certificate-nameless');
    const identity: Identity = { idp: provider.id, subject: name, name, kind: 'service', groups: [], claims: {} };
    return { ok: true, identity, credentialId, expiresAtMs: certificate.expiresAtMs };
  };
}

/** Exactly one name: with several, the holder could choose who to be. A wildcard is not a name. */
function nameFrom({ names }: ClientCertificate, from: MtlsProvider['principalFrom']): string | undefined {
  const [only, ...more] = names[from];
  if (only === undefined || more.length > 0 || !/^\P{Cc}{1,256}$/u.test(only) || only.trim() !== only || hasWildcard(only)) return undefined;
  return from === 'san_dns' ? only.toLowerCase() : only;
}

function readRevoked(crlFile: string): (certificate: ClientCertificate) => boolean {
  try {
    const revoked = new Set(
      readRevocationLists(readFileSync(crlFile, 'utf8')).flatMap(({ issuer, serials }) => serials.map((serial) => `${serial} ${issuer}`)),
    );
    return ({ issuer, serial }) => revoked.has(`${serial} ${issuer}`);
  } catch (cause) {
    throw new LictorError('client-crl-unusable', `tls.client_crl: ${crlFile} cannot be read as revocation lists in PEM (BEGIN X509 CRL).`, { cause });
  }
}
