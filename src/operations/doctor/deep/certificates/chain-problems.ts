// Faults of a served chain that Python's OpenSSL finds and a browser may not: order, weak keys, expired intermediates, missing extensions.
import type { X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import type { Verdict } from '../../finding.ts';
import { fault } from '../codes.ts';

/** `chain`: as it is served, the server certificate first. */
export function chainProblems(chain: readonly X509Certificate[], nowMs: number): readonly Verdict[] {
  return [
    ...orderProblems(chain),
    ...chain.slice(1).flatMap((each) => expiryProblem(each, nowMs)),
    ...chain.flatMap(weakness),
    ...chain.flatMap(strictProblem),
  ];
}

function orderProblems(chain: readonly X509Certificate[]): readonly Verdict[] {
  const broken = chain.findIndex((certificate, index) => {
    const next = chain[index + 1];
    return next !== undefined && !certificate.checkIssued(next);
  });
  if (broken === -1) return [];
  return [fault('chain-order', `certificate ${broken + 1} of the chain (${nameOf(chain[broken])}) is not signed by the one behind it`)];
}

function expiryProblem(certificate: X509Certificate, nowMs: number): readonly Verdict[] {
  if (certificate.validToDate.getTime() > nowMs) return [];
  return [fault('intermediate-expired', `${nameOf(certificate)}, which signed the chain, expired on ${certificate.validToDate.toISOString().slice(0, 10)}`)];
}

const LEAST_RSA_BITS = 2048;

function weakness(certificate: X509Certificate): readonly Verdict[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  const bits = details?.modulusLength ?? LEAST_RSA_BITS;
  if (type === 'rsa' && bits < LEAST_RSA_BITS) return [fault('certificate-weak', `the key of ${nameOf(certificate)} has only ${bits} bits`)];
  // Nothing reads the signature of a root.
  const signature = certificate.signatureAlgorithm ?? '';
  if (/md5|sha1(?!\d)|sha-1/i.test(signature) && !isRoot(certificate)) return [fault('certificate-weak', `${nameOf(certificate)} is signed with ${signature}`)];
  return [];
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

const EXTENSION = { authorityKey: '2.5.29.35', subjectKey: '2.5.29.14', basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15' } as const;

/** The checks of OpenSSL's X509_V_FLAG_X509_STRICT, which Python 3.13 turns on, that certificates of private authorities fail most often. */
function strictProblem(certificate: X509Certificate): readonly Verdict[] {
  const { extensions = [] } = Certificate.fromBER(new Uint8Array(certificate.raw));
  const lacks = (name: keyof typeof EXTENSION): boolean => !extensions.some(({ extnID }) => extnID === EXTENSION[name]);
  const missing = [
    ...(!isRoot(certificate) && lacks('authorityKey') ? ['Authority Key Identifier'] : []),
    ...(certificate.ca && lacks('subjectKey') ? ['Subject Key Identifier'] : []),
    ...(certificate.ca && lacks('keyUsage') ? ['Key Usage'] : []),
    ...(certificate.ca && !isCritical(extensions, EXTENSION.basicConstraints) ? ['critical Basic Constraints'] : []),
  ];
  return missing.length === 0 ? [] : [fault('certificate-not-strict', `${nameOf(certificate)} lacks ${missing.join(', ')}`)];
}

function isCritical(extensions: readonly { readonly extnID: string; readonly critical: boolean }[], id: string): boolean {
  return extensions.some(({ extnID, critical }) => extnID === id && critical);
}

function nameOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject.split('\n').at(-1) ?? certificate?.subjectAltName ?? 'a certificate without a name';
}
