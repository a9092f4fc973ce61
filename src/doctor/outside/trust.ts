// Which certificates this machine's clients trust, and to whom a temporary token may be shown.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkServerIdentity, getCACertificates, type PeerCertificate } from 'node:tls';
import type { Trust } from './http-probe.ts';

/** The bundle that Python's clients would use, where one is named; else the system's authorities. */
export function bundleFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return [env['PREFECT_API_SSL_CERT_FILE'], env['SSL_CERT_FILE']].find((file) => file !== undefined && file !== '');
}

/** PEM texts. A bundle that cannot be read is no bundle. */
export function trustedAuthorities(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const file = bundleFile(env);
  return file === undefined ? [...getCACertificates('default'), ...getCACertificates('system')] : [read(file) ?? ''].filter((pem) => pem !== '');
}

/** None when it cannot be read: then nothing is trusted. */
export function authoritiesOf(file: string): readonly string[] {
  const pem = read(file);
  return pem === undefined ? [] : [pem];
}

/** Of a server that is not ours: its own authority file, or the machine's. */
export function upstreamTrust(authorities: readonly string[], caFile: string | null): Trust {
  const own = caFile === null ? undefined : read(caFile);
  return { ca: own === undefined ? [...authorities] : [own], allowPartialTrustChain: false, checkServerIdentity };
}

/** Trusted are: the authorities, and exactly the certificate that this gateway serves, whatever its names. */
export function tokenTrust(authorities: readonly string[], ownCertFile: string | null): Trust {
  const own = ownCertFile === null ? undefined : read(ownCertFile);
  const fingerprint = own === undefined ? undefined : fingerprintOf(own);
  return {
    ca: [...authorities, ...(own === undefined ? [] : [own])],
    allowPartialTrustChain: true,
    checkServerIdentity: (hostname: string, certificate: PeerCertificate) =>
      fingerprint !== undefined && certificate.fingerprint256 === fingerprint ? undefined : checkServerIdentity(hostname, certificate),
  };
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined; // no certificate: nothing is pinned
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
