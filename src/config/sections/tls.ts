// tls: certificate and key of public_url, checked as a pair before nginx sees them.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config, PublicUrl } from '../config.ts';
import type { Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
import { ownCertificatePaths } from '../state-dir.ts';
import { readSecretFile } from './secret-file.ts';

export interface TlsSection {
  readonly wire: WireConfig['tls'];
  readonly publicUrl: PublicUrl | undefined;
  readonly baseDir: string;
  readonly stateDir: string;
  readonly secrets: 'read' | 'skip';
  /** Another proxy ends TLS. */
  readonly terminated: boolean;
}

/** Null when there is none, or when something is wrong; then it has been reported. Not checked: names and expiry. */
export function readTls({ wire, publicUrl, baseDir, stateDir, secrets, terminated }: TlsSection, report: Report): Config['tls'] {
  if (wire === undefined) {
    if (publicUrl?.secure === true && !terminated)
      report(
        ['tls'],
        'is missing, though public_url is https',
        'Give tls.cert and tls.key (PEM files), or tls: { self_made: true }; or tls_terminated_upstream: true where a proxy in front ends TLS.',
      );
    return null;
  }
  if (publicUrl?.secure === false) report(['tls'], 'is set, though public_url is http', 'Write https:// in public_url, or remove tls.');
  if (wire.self_made === true) return readSelfMade(wire, stateDir, report);
  if (wire.cert === undefined || wire.key === undefined) {
    const missing = wire.cert === undefined ? 'cert' : 'key';
    report(['tls', missing], 'is missing', 'Give tls.cert and tls.key (PEM files), or tls: { self_made: true }.');
    return null;
  }
  const files = { certFile: resolve(baseDir, wire.cert), keyFile: resolve(baseDir, wire.key), selfMadeBy: null };
  if (secrets === 'read') checkPair(files, report);
  return files;
}

/** The files may not be there yet: they are made, and looked at, before nginx needs them (src/certificates). */
function readSelfMade(wire: NonNullable<WireConfig['tls']>, stateDir: string, report: Report): Config['tls'] {
  for (const key of ['cert', 'key'] as const) {
    if (wire[key] !== undefined) report(['tls', key], 'stands beside self_made', 'Keep cert and key, or self_made: true.');
  }
  const { serverFile, caFile } = ownCertificatePaths(stateDir);
  return { certFile: serverFile, keyFile: serverFile, selfMadeBy: caFile };
}

export function checkPair({ certFile, keyFile }: { certFile: string; keyFile: string }, report: Report): void {
  const certificate = readCertificate(certFile, report);
  const pem = readSecretFile(keyFile, ['tls', 'key'], report);
  if (certificate === undefined || pem === undefined) return;
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(pem)))
      report(['tls', 'key'], 'does not belong to tls.cert', 'Give the key that the certificate was made for.');
  } catch {
    report(['tls', 'key'], `${keyFile} holds no PEM private key without a passphrase`, 'Give the key as PEM, not encrypted.');
  }
}

function readCertificate(file: string, report: Report): X509Certificate | undefined {
  try {
    return new X509Certificate(readFileSync(file));
  } catch {
    report(['tls', 'cert'], `${file} cannot be read as a PEM certificate`, 'Give the certificate chain as PEM, the server certificate first.');
    return undefined;
  }
}
