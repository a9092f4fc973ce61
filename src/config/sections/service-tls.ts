// services[].tls: by which authorities the gateway verifies the servers of a service, and which certificate it presents.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Report } from '../report.ts';
import { filePath } from '../schema/scalars.ts';
import type { Service } from '../service.ts';
import type { Files } from './context.ts';
import { noPem } from './files.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import type { PlainUrl } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';

export const tlsKey = z.strictObject({
  ca_file: filePath.optional().describe('Authorities that signed their certificates, PEM. Default: those of the system.'),
  cert: filePath.optional().describe('Certificate of the gateway as a client, PEM.'),
  key: filePath.optional().describe('Its private key, PEM.'),
});

type WireTls = z.output<typeof tlsKey>;

interface Wire {
  readonly tls?: WireTls | undefined;
  readonly servers: readonly Pick<PlainUrl, 'secure'>[];
}

/** The answer counts only if nothing was reported. */
export function readServiceTls({ tls, servers }: Wire, files: Files, report: Report): Pick<Service, 'caFile' | 'certificate'> {
  if (tls === undefined) return { caFile: null, certificate: null };
  if (!servers.some(({ secure }) => secure)) report(['tls'], 'is set, though no server is https', 'Write https:// in the addresses, or remove it.');
  return { caFile: readAuthorities(tls, files, report), certificate: readCertificate(tls, files, report) };
}

function readAuthorities({ ca_file: path }: WireTls, { baseDir }: Files, report: Report): string | null {
  if (path === undefined) return null;
  const at = ['tls', 'ca_file'];
  const file = resolve(baseDir, path);
  if (checkNginxPath(file, at, report) && readPemFile(file) === null) {
    const { message, remedy } = noPem(file, "the servers' own");
    report(at, message, remedy);
  }
  return file;
}

function readCertificate({ cert, key }: WireTls, { baseDir, secrets }: Files, report: Report): Service['certificate'] {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    report(['tls', cert === undefined ? 'cert' : 'key'], 'is missing', 'Give tls.cert and tls.key, or neither.');
    return null;
  }
  const pair = { certFile: resolve(baseDir, cert), keyFile: resolve(baseDir, key) };
  const isUsable = checkNginxPath(pair.certFile, ['tls', 'cert'], report) && checkNginxPath(pair.keyFile, ['tls', 'key'], report);
  if (isUsable && secrets === 'read') checkPair(pair, report);
  return pair;
}

function checkPair({ certFile, keyFile }: NonNullable<Service['certificate']>, report: Report): void {
  const pem = readSecretFile(keyFile, ['tls', 'key'], report);
  if (pem === undefined) return;
  try {
    if (new X509Certificate(readFileSync(certFile)).checkPrivateKey(createPrivateKey(pem))) return;
    report(['tls', 'key'], 'does not belong to tls.cert', 'Give the key that the certificate was made for.');
  } catch {
    report(['tls', 'cert'], 'cannot be read with its key', 'Give both as PEM, the key without a passphrase.');
  }
}
