// Certificates of a PEM file, as nginx and Node would read them.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface PemFile {
  readonly text: string;
  /** At least one. */
  readonly certificates: readonly X509Certificate[];
}

/** Null: it cannot be read, holds none, or holds one that is broken. */
export function readPemFile(file: string): PemFile | null {
  try {
    const text = readFileSync(file, 'utf8');
    const certificates = (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
    return certificates.length === 0 ? null : { text, certificates };
  } catch {
    return null;
  }
}
