// A certificate for localhost that nobody else signed.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Two PEM files in `directory`; made anew at every call. */
export async function selfSigned(directory = mkdtempSync(join(tmpdir(), 'lictor-test-tls-'))): Promise<CertificateFiles> {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'keyUsage=critical,digitalSignature,keyCertSign'];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject];
  const made = await run({ name: 'openssl', command: 'openssl', args, env: process.env });
  if (made.code !== 0) throw new Error(`openssl: ${made.output}`);
  return { cert, key };
}
