// Creates certificates (RFC 5280): an authority that is limited to one host, and its server certificates.
import type { webcrypto } from 'node:crypto';
import { BitString, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralSubtree,
  NameConstraints,
  RelativeDistinguishedNames,
  Time,
} from 'pkijs';
import type { Host } from './hosts.ts';

/** PEM. */
export interface Made {
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Browsers accept at most 398 days. Lictor renews it in time. */
export const SERVER_DAYS = 90;
/** Clocks of clients may be behind. */
const BACKDATED_MS = 3_600_000;
/** The clock may be ahead when Lictor creates a certificate for years. It must be valid after the clock is corrected. Nothing was signed with its new key before. */
const LASTING_BACKDATED_MS = 365 * DAY_MS;

const OID = {
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** KeyUsage, its first bit leftmost: digitalSignature; keyCertSign and cRLSign. */
const USAGE = { server: { bits: 0x80, unusedBits: 7 }, authority: { bits: 0x06, unusedBits: 1 } } as const;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** Every SAML provider can verify it. */
const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 3072, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' } as const;

/** Limited to server certificates of these hosts: a client that installs the authority trusts it with nothing else. */
export async function makeAuthority(hosts: readonly Host[], nowMs: number): Promise<Made> {
  const keys = await newKeys();
  const keyId = await keyIdOf(keys.publicKey);
  const name = nameOf(`Lictor CA ${Buffer.from(keyId).toString('hex').slice(0, 16)}`);
  const extensions = [
    extension(OID.basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(), 'critical'),
    keyUsage(USAGE.authority),
    serverAuth(),
    extension(OID.nameConstraints, nameConstraints(hosts).toSchema(), 'critical'),
    extension(OID.subjectKeyId, new OctetString({ valueHex: keyId })),
  ];
  const times = { fromMs: nowMs - LASTING_BACKDATED_MS, toMs: nowMs + AUTHORITY_DAYS * DAY_MS };
  return { certificate: await sign({ issuer: name, subject: name, keys, extensions, ...times }, keys.privateKey), key: await pemOfKey(keys.privateKey) };
}

/** It ends with its authority at the latest. The PEM holds only the server certificate. */
export async function makeServerCertificate(authority: Made, hosts: readonly Host[], nowMs: number): Promise<Made> {
  const issuer = Certificate.fromBER(derOf(authority.certificate));
  const [keys, issuerKey] = await Promise.all([newKeys(), importKey(authority.key)]);
  const [keyId, issuerKeyId] = await Promise.all([keyIdOf(keys.publicKey), issuer.getPublicKey().then(keyIdOf)]);
  const altNames = hosts.map((host) => (host.kind === 'name' ? dnsName(host.name) : address([...host.bytes])));
  const extensions = [
    extension(OID.basicConstraints, new BasicConstraints({ cA: false }).toSchema(), 'critical'),
    keyUsage(USAGE.server),
    serverAuth(),
    extension(OID.subjectAltName, new AltName({ altNames }).toSchema()),
    extension(OID.subjectKeyId, new OctetString({ valueHex: keyId })),
    extension(OID.authorityKeyId, new AuthorityKeyIdentifier({ keyIdentifier: new OctetString({ valueHex: issuerKeyId }) }).toSchema()),
  ];
  const toMs = Math.min(nowMs + SERVER_DAYS * DAY_MS, issuer.notAfter.value.getTime());
  // Not a host name: OpenSSL checks a common name that looks like one against the constraints.
  const request = { issuer: issuer.subject, subject: nameOf('Lictor gateway'), keys, extensions, fromMs: nowMs - BACKDATED_MS, toMs };
  return { certificate: await sign(request, issuerKey), key: await pemOfKey(keys.privateKey) };
}

/** Signs messages for receivers that have the certificate itself. It certifies no other key, and ends late. */
export async function makeSigningCertificate(commonName: string, nowMs: number): Promise<Made> {
  const keys = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const name = nameOf(commonName);
  const extensions = [extension(OID.basicConstraints, new BasicConstraints({ cA: false }).toSchema(), 'critical'), keyUsage(USAGE.server)];
  const times = { fromMs: nowMs - LASTING_BACKDATED_MS, toMs: nowMs + AUTHORITY_DAYS * DAY_MS };
  return { certificate: await sign({ issuer: name, subject: name, keys, extensions, ...times }, keys.privateKey), key: await pemOfKey(keys.privateKey) };
}

/** True if the authority is limited to exactly these hosts. */
export function isAuthorityFor(certificatePem: string, hosts: readonly Host[]): boolean {
  const found = Certificate.fromBER(derOf(certificatePem)).extensions?.find(({ extnID }) => extnID === OID.nameConstraints);
  const expected = Buffer.from(nameConstraints(hosts).toSchema().toBER());
  return found !== undefined && expected.equals(Buffer.from(found.extnValue.getValue()));
}

interface Request {
  readonly issuer: RelativeDistinguishedNames;
  readonly subject: RelativeDistinguishedNames;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly extensions: Extension[];
  readonly fromMs: number;
  readonly toMs: number;
}

async function sign({ issuer, subject, keys, extensions, fromMs, toMs }: Request, issuerKey: webcrypto.CryptoKey): Promise<string> {
  const certificate = new Certificate({
    version: 2,
    serialNumber: serialNumber(),
    issuer,
    subject,
    notBefore: time(fromMs),
    notAfter: time(toMs),
    extensions,
  });
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(issuerKey, 'SHA-256');
  return pem('CERTIFICATE', certificate.toSchema().toBER());
}

/** Excludes every kind that is not named: without a permitted name, a kind would be unlimited. */
function nameConstraints(hosts: readonly Host[]): NameConstraints {
  const permitted = hosts.map((host) => (host.kind === 'name' ? dnsName(host.name) : address([...host.bytes, ...host.bytes.map(() => 255)])));
  const excluded = [
    ...(hosts.some(({ kind }) => kind === 'name') ? [] : [dnsName('')]),
    ...(hosts.some(({ kind }) => kind === 'address') ? [] : [4, 16].map((length) => address(new Array<number>(2 * length).fill(0)))),
  ];
  const subtrees = (bases: readonly GeneralName[]): GeneralSubtree[] => bases.map((base) => new GeneralSubtree({ base }));
  return new NameConstraints({ permittedSubtrees: subtrees(permitted), ...(excluded.length > 0 && { excludedSubtrees: subtrees(excluded) }) });
}

/** In constraints: the name and all below it; empty: every name. */
function dnsName(name: string): GeneralName {
  return new GeneralName({ type: 2, value: name });
}

/** In constraints: address and mask. */
function address(bytes: readonly number[]): GeneralName {
  return new GeneralName({ type: 7, value: new OctetString({ valueHex: Uint8Array.from(bytes).buffer }) });
}

function keyUsage({ bits, unusedBits }: (typeof USAGE)[keyof typeof USAGE]): Extension {
  return extension(OID.keyUsage, new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits }), 'critical');
}

function serverAuth(): Extension {
  return extension(OID.extendedKeyUsage, new ExtKeyUsage({ keyPurposes: [OID.serverAuth] }).toSchema());
}

function extension(extnID: string, value: { toBER(): ArrayBuffer }, critical?: 'critical'): Extension {
  return new Extension({ extnID, critical: critical === 'critical', extnValue: value.toBER() });
}

function nameOf(commonName: string): RelativeDistinguishedNames {
  return new RelativeDistinguishedNames({
    typesAndValues: [new AttributeTypeAndValue({ type: OID.commonName, value: new Utf8String({ value: commonName }) })],
  });
}

/** 127 random bits, positive, never beginning with a zero byte. */
function serialNumber(): Integer {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return new Integer({ valueHex: bytes.buffer });
}

/** Whole seconds; UTCTime up to 2049 (RFC 5280, 4.1.2.5). */
function time(ms: number): Time {
  const value = new Date(Math.floor(ms / 1000) * 1000);
  return new Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
}

function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', derOf(keyPem), ECDSA, false, ['sign']);
}

/** RFC 7093, 2 (1): the leftmost 160 bits of SHA-256 over the public key. */
async function keyIdOf(key: webcrypto.CryptoKey): Promise<ArrayBuffer> {
  const point = await crypto.subtle.exportKey('raw', key);
  return (await crypto.subtle.digest('SHA-256', point)).slice(0, 20);
}

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  return pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key));
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The first PEM block. */
function derOf(text: string): Buffer<ArrayBuffer> {
  const base64 = /-----BEGIN [A-Z ]+-----([^-]+)-----END/.exec(text)?.[1] ?? '';
  return Buffer.from(base64, 'base64');
}
