// A client certificate in nginx's form -> the names in it. nginx has verified it: this file checks no signature.
import { AltName, Certificate, CertificateRevocationList, type RelativeDistinguishedNames } from 'pkijs';

export interface ClientCertificate {
  readonly issuer: string;
  readonly serial: string;
  readonly expiresAtMs: number;
  /** Every name of each kind, unchanged. */
  readonly names: { readonly san_uri: readonly string[]; readonly san_dns: readonly string[]; readonly subject_cn: readonly string[] };
}

/** The revoked serial numbers of one authority. */
export interface RevokedSerials {
  readonly issuer: string;
  readonly serials: readonly string[];
  /** The list is not valid after this time. Null: it names no time. */
  readonly nextUpdateMs: number | null;
}

const SUBJECT_ALT_NAME = '2.5.29.17';
const COMMON_NAME = '2.5.4.3';
/** GeneralName (RFC 5280, 4.2.1.6). */
const TYPE = { dns: 2, uri: 6 } as const;

/** `$ssl_client_escaped_cert`: PEM, percent-encoded. Undefined: it cannot be parsed. */
export function readClientCertificate(escaped: string): ClientCertificate | undefined {
  try {
    const [der] = blocksOf(decodeURIComponent(escaped), 'CERTIFICATE');
    if (der === undefined) return undefined;
    const { issuer, serialNumber, notAfter, subject, extensions } = Certificate.fromBER(der);
    const alternative = extensions?.find(({ extnID }) => extnID === SUBJECT_ALT_NAME)?.parsedValue;
    const names = alternative instanceof AltName ? alternative.altNames : [];
    const ofType = (type: number): string[] => names.filter((name) => name.type === type).map(({ value }) => String(value));
    return {
      issuer: nameText(issuer),
      serial: serialText(serialNumber),
      expiresAtMs: notAfter.value.getTime(),
      names: { san_uri: ofType(TYPE.uri), san_dns: ofType(TYPE.dns), subject_cn: commonNames(subject) },
    };
  } catch {
    return undefined;
  }
}

/** Every list in a PEM file. Throws if one cannot be parsed, or if there is none. */
export function readRevocationLists(pem: string): readonly RevokedSerials[] {
  const lists = blocksOf(pem, 'X509 CRL').map((der) => CertificateRevocationList.fromBER(der));
  if (lists.length === 0) throw new Error('no revocation list in PEM');
  return lists.map(({ issuer, revokedCertificates, nextUpdate }) => ({
    issuer: nameText(issuer),
    serials: (revokedCertificates ?? []).map(({ userCertificate }) => serialText(userCertificate)),
    nextUpdateMs: nextUpdate?.value.getTime() ?? null,
  }));
}

function blocksOf(pem: string, label: string): readonly Buffer<ArrayBuffer>[] {
  const blocks = pem.matchAll(new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`, 'g'));
  return [...blocks].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
}

/** For comparing names: ignores case, space, and the type of string (RFC 5280, 7.1). */
function nameText({ typesAndValues }: RelativeDistinguishedNames): string {
  return JSON.stringify(typesAndValues.map(({ type, value }) => [type, String(value.valueBlock.value).toLowerCase().replace(/\s+/g, ' ').trim()]));
}

function serialText(serial: { readonly valueBlock: { readonly valueHexView: Uint8Array } }): string {
  return Buffer.from(serial.valueBlock.valueHexView)
    .toString('hex')
    .replace(/^(?:00)+/, '');
}

function commonNames({ typesAndValues }: RelativeDistinguishedNames): readonly string[] {
  return typesAndValues.filter(({ type }) => type === COMMON_NAME).map(({ value }) => String(value.valueBlock.value));
}
