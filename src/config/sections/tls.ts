// tls: certificate and key of public_url, checked as a pair before nginx sees them.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isErrno } from '../../contract/errno.ts';
import type { Config, PublicUrl } from '../config.ts';
import type { Keys, ProblemList, Report } from '../report.ts';
import type { WireConfig, WireSections } from '../schema/index.ts';
import { ownCertificatePaths } from '../state-dir.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import { readSecretFile } from './secret-file.ts';

type WireTls = NonNullable<WireConfig['tls']>;

export interface TlsSection {
  readonly wire: WireTls | undefined;
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
  const client = readClient(wire, baseDir, report);
  if (wire.self_made === true) return { ...readSelfMade(wire, stateDir, report), client };
  if (wire.cert === undefined || wire.key === undefined) {
    const missing = wire.cert === undefined ? 'cert' : 'key';
    report(['tls', missing], 'is missing', 'Give tls.cert and tls.key (PEM files), or tls: { self_made: true }.');
    return null;
  }
  const files = { certFile: resolve(baseDir, wire.cert), keyFile: resolve(baseDir, wire.key), selfMadeBy: null, client };
  const named = [checkNginxPath(files.certFile, ['tls', 'cert'], report), checkNginxPath(files.keyFile, ['tls', 'key'], report)];
  if (secrets === 'read' && named.every(Boolean)) checkPair(files, report);
  return files;
}

/** nginx reads the revocation lists, and says what is wrong with them. */
function readClient(wire: WireTls, baseDir: string, report: Report): NonNullable<Config['tls']>['client'] {
  if (wire.client_ca === undefined) {
    if (wire.client_crl !== undefined) report(['tls', 'client_crl'], 'stands without client_ca', 'Give the authorities whose lists these are: tls.client_ca.');
    return null;
  }
  const caFile = resolve(baseDir, wire.client_ca);
  const crlFile = wire.client_crl === undefined ? null : resolve(baseDir, wire.client_crl);
  if (checkNginxPath(caFile, ['tls', 'client_ca'], report)) checkAuthorities(caFile, report);
  if (crlFile !== null) checkNginxPath(crlFile, ['tls', 'client_crl'], report);
  return { caFile, crlFile };
}

function checkAuthorities(file: string, report: Report): void {
  if (read(file, ['tls', 'client_ca'], report) === undefined) return;
  if (readPemFile(file)?.certificates.every(({ ca }) => ca) === true) return;
  report(['tls', 'client_ca'], `${file} cannot be read as certificates of authorities`, 'Give the authorities that sign client certificates, as PEM.');
}

/** Who shows a certificate must be able to be somebody, and somebody must have signed it. Reported at either end. */
export function checkClientCertificates(wire: WireSections, { report, concerns }: Pick<ProblemList, 'report' | 'concerns'>): void {
  if (concerns(['identity_providers']) || concerns(['tls'])) return;
  const at = (wire.identity_providers ?? []).findIndex(({ type }) => type === 'mtls');
  const asked = wire.tls?.client_ca !== undefined;
  if (asked && at === -1)
    report(['tls', 'client_ca'], 'would be asked for, and name nobody', 'Add an identity provider: { id: pki, type: mtls, principal_from: san_uri }.');
  if (at === -1 || asked) return;
  if (wire.tls_terminated_upstream === true)
    report(
      ['identity_providers', at],
      'needs TLS to end here: the proxy in front keeps the certificates to itself',
      'Let TLS end at the gateway, or remove it.',
    );
  else report(['identity_providers', at], 'has no authority to believe', 'Give the authorities that sign client certificates: tls.client_ca.');
}

/** The files may not be there yet: they are made, and looked at, before nginx needs them (src/certificates). */
function readSelfMade(wire: WireTls, stateDir: string, report: Report): Omit<NonNullable<Config['tls']>, 'client'> {
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
  const text = read(file, ['tls', 'cert'], report);
  if (text === undefined) return undefined;
  try {
    return new X509Certificate(text);
  } catch {
    report(['tls', 'cert'], `${file} cannot be read as a PEM certificate`, 'Give the certificate chain as PEM, the server certificate first.');
    return undefined;
  }
}

/** In the words that a key's file is told with (secret-file.ts). */
function read(file: string, keys: Keys, report: Report): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) report(keys, `${file} does not exist`, 'Create it, or correct the path.');
    else report(keys, `${file} cannot be read`, 'Let the user that runs lictor read it.');
    return undefined;
  }
}
