// The key that signs messages to SAML providers, and its certificate: created once, in one file (0600).
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { makeOnce } from '../make-once.ts';
import type { Made } from './make.ts';

/** Reads or creates it. Throws `store-unusable` if the file holds something else. */
export async function ensureSigner(file: string, nowMs: number): Promise<Made> {
  return readSigner(file) ?? (await makeSigner(file, nowMs));
}

function readSigner(file: string): Made | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  if (certificate === undefined || key === undefined || !fits(certificate))
    throw new LictorError(
      'store-unusable',
      `${file} holds no certificate and key: restore it from a backup, or remove it and give providers the new metadata.`,
    );
  return { certificate, key };
}

function fits(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).publicKey.asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

/** Several processes may start at once: the first file counts. */
async function makeSigner(file: string, nowMs: number): Promise<Made> {
  const { makeSigningCertificate } = await import('./make.ts'); // X.509 is loaded only when something is to be made
  const { certificate, key } = await makeSigningCertificate('Lictor SAML', nowMs);
  makeOnce(file, `${certificate}${key}`);
  const made = readSigner(file);
  if (made === undefined) throw new LictorError('store-unusable', `${file} cannot be read back.`);
  return made;
}
