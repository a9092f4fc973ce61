// The servers that may get a temporary token.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { Trust } from './http-probe.ts';

/** Empty if the file cannot be read: then nothing is trusted. */
export function authoritiesOf(file: string): readonly string[] {
  const pem = read(file);
  return pem === undefined ? [] : [pem];
}

/** For another server: its own authority file, or this machine's authorities. */
export function upstreamTrust(authorities: readonly string[], caFile: string | null): Trust {
  const own = caFile === null ? undefined : read(caFile);
  return { ca: own === undefined ? [...authorities] : [own], allowPartialTrustChain: false, checkServerIdentity };
}

/** Trusts the authorities, and exactly the certificate that this gateway serves, whatever its names. */
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
    return undefined; // Not a certificate: nothing is pinned.
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
