// tls: certificate and key of public_url, checked as a pair before nginx sees them.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../contract/errno.ts';
import type { Config } from '../config.ts';
import type { Keys, Report } from '../report.ts';
import { reject, reporter, says } from '../schema/issues.ts';
import { filePath } from '../schema/scalars.ts';
import { ownCertificatePaths } from '../state-dir.ts';
import type { Context } from './context.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import { readSecretFile } from './secret-file.ts';

const wireTls = z.strictObject({
  cert: filePath.optional().describe('Certificate chain of public_url, PEM.'),
  key: filePath.optional().describe('Its private key, PEM without a passphrase.'),
  self_made: z.boolean().optional().describe('Instead of cert and key: the gateway creates them, with its own authority, whose certificate clients need.'),
  client_ca: filePath.optional().describe('Authorities that sign the certificates of clients, PEM.'),
  client_crl: filePath.optional().describe('Certificates of clients that were taken back, PEM.'),
});

type WireTls = z.output<typeof wireTls>;

/** Null: none. Not checked: names and expiry. */
export function tlsSection(context: Context) {
  return wireTls
    .optional()
    .transform((wire, issues) => (wire === undefined ? withoutTls(context, issues) : readTls(wire, context, reporter(issues))))
    .describe('The certificate of public_url: cert and key, or self_made: true.');
}

export function tlsTerminatedUpstreamSection({ publicUrl }: Pick<Context, 'publicUrl'>) {
  return z
    .boolean()
    .optional()
    .refine(
      (terminated) => terminated !== true || publicUrl?.secure !== false,
      says('is true, though public_url is http', 'Write https:// in public_url: what clients type.'),
    )
    .describe('true: a proxy in front ends TLS. public_url is https, listen speaks plain http, and trusted_proxies names the proxy.');
}

function withoutTls({ publicUrl, tlsEndsInFront }: Context, issues: z.RefinementCtx): null {
  if (publicUrl?.secure !== true || tlsEndsInFront) return null;
  return reject(issues, {
    message: 'is missing, though public_url is https',
    remedy: 'Give tls.cert and tls.key (PEM files), or tls: { self_made: true }; or tls_terminated_upstream: true where a proxy in front ends TLS.',
  });
}

/** The answer counts only if nothing was reported. */
function readTls(wire: WireTls, { publicUrl, tlsEndsInFront, providers, baseDir, stateDir, secrets }: Context, report: Report): Config['tls'] {
  if (tlsEndsInFront) report([], 'stands beside tls_terminated_upstream', 'Keep one of the two: who ends TLS?');
  if (publicUrl?.secure === false) report([], 'is set, though public_url is http', 'Write https:// in public_url, or remove tls.');
  if (wire.client_ca !== undefined && providers?.every(({ type }) => type !== 'mtls') === true)
    report(['client_ca'], 'would be asked for, and name nobody', 'Add an identity provider: { id: pki, type: mtls, principal_from: san_uri }.');
  const client = readClient(wire, baseDir, report);
  if (wire.self_made === true) return { ...readSelfMade(wire, stateDir, report), client };
  if (wire.cert === undefined || wire.key === undefined) {
    const missing = wire.cert === undefined ? 'cert' : 'key';
    report([missing], 'is missing', 'Give tls.cert and tls.key (PEM files), or tls: { self_made: true }.');
    return null;
  }
  const files = { certFile: resolve(baseDir, wire.cert), keyFile: resolve(baseDir, wire.key), selfMadeBy: null, client };
  const named = [checkNginxPath(files.certFile, ['cert'], report), checkNginxPath(files.keyFile, ['key'], report)];
  if (secrets === 'read' && named.every(Boolean)) checkPair(files, report);
  return files;
}

/** nginx reads the revocation lists and reports their problems. */
function readClient(wire: WireTls, baseDir: string, report: Report): NonNullable<Config['tls']>['client'] {
  if (wire.client_ca === undefined) {
    if (wire.client_crl !== undefined) report(['client_crl'], 'stands without client_ca', 'Give the authorities whose lists these are: tls.client_ca.');
    return null;
  }
  const caFile = resolve(baseDir, wire.client_ca);
  const crlFile = wire.client_crl === undefined ? null : resolve(baseDir, wire.client_crl);
  if (checkNginxPath(caFile, ['client_ca'], report)) checkAuthorities(caFile, report);
  if (crlFile !== null) checkNginxPath(crlFile, ['client_crl'], report);
  return { caFile, crlFile };
}

function checkAuthorities(file: string, report: Report): void {
  if (read(file, ['client_ca'], report) === undefined) return;
  if (readPemFile(file)?.certificates.every(({ ca }) => ca) === true) return;
  report(['client_ca'], `${file} cannot be read as certificates of authorities`, 'Give the authorities that sign client certificates, as PEM.');
}

/** The files may not exist yet: Lictor creates and checks them before nginx needs them (src/config/certificates). */
function readSelfMade(wire: WireTls, stateDir: string, report: Report): Omit<NonNullable<Config['tls']>, 'client'> {
  for (const key of ['cert', 'key'] as const) {
    if (wire[key] !== undefined) report([key], 'stands beside self_made', 'Keep cert and key, or self_made: true.');
  }
  const { serverFile, caFile } = ownCertificatePaths(stateDir);
  return { certFile: serverFile, keyFile: serverFile, selfMadeBy: caFile };
}

/** Keys are below `tls`. */
export function checkPair({ certFile, keyFile }: { certFile: string; keyFile: string }, report: Report): void {
  const certificate = readCertificate(certFile, report);
  const pem = readSecretFile(keyFile, ['key'], report);
  if (certificate === undefined || pem === undefined) return;
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) report(['key'], 'does not belong to tls.cert', 'Give the key that the certificate was made for.');
  } catch {
    report(['key'], `${keyFile} holds no PEM private key without a passphrase`, 'Give the key as PEM, not encrypted.');
  }
}

function readCertificate(file: string, report: Report): X509Certificate | undefined {
  const text = read(file, ['cert'], report);
  if (text === undefined) return undefined;
  try {
    return new X509Certificate(text);
  } catch {
    report(['cert'], `${file} cannot be read as a PEM certificate`, 'Give the certificate chain as PEM, the server certificate first.');
    return undefined;
  }
}

/** The same words as for a secret file (secret-file.ts). */
function read(file: string, keys: Keys, report: Report): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) report(keys, `${file} does not exist`, 'Create it, or correct the path.');
    else report(keys, `${file} cannot be read`, 'Let the user that runs lictor read it.');
    return undefined;
  }
}
