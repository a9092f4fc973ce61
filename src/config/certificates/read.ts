// Reads the files of the self-made certificate, and reports their problems.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { LictorError } from '../../contract/error.ts';
import type { OwnCertificatePaths } from '../state-dir.ts';
import { type Host, hostText } from './hosts.ts';

export interface Authority {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keyPem: string;
  /** By its name: Lictor created it, for any host. */
  readonly isOurs: boolean;
}

/** Throws `own-certificate-unusable`. */
export function readAuthority({ caFile, caKeyFile }: OwnCertificatePaths, nowMs: number): Authority {
  const pem = read(caFile);
  const keyPem = read(caKeyFile);
  if (pem === undefined) throw unusable(caFile, 'is missing');
  if (keyPem === undefined) throw unusable(caKeyFile, 'is missing');
  const certificate = parse(pem, caFile);
  if (!certificate.ca || !belongs(certificate, keyPem)) throw unusable(caFile, `is no authority whose key is in ${caKeyFile}`);
  if (certificate.validToDate.getTime() <= nowMs) throw unusable(caFile, `expired on ${certificate.validToDate.toISOString().slice(0, 10)}`);
  return { certificate, pem, keyPem, isOurs: /^CN=Lictor CA [0-9a-f]{16}$/.test(certificate.subject) };
}

/**
 * A warning if the authority is not valid yet: then clients reject its certificates. Undefined: it is valid. The gateway starts nevertheless,
 * because the clock of this machine may be behind.
 */
export function aheadProblem(
  { dir, caFile }: OwnCertificatePaths,
  { validFromDate }: Pick<X509Certificate, 'validFromDate'>,
  nowMs: number,
): { readonly message: string; readonly remedy: string } | undefined {
  if (validFromDate.getTime() <= nowMs) return undefined;
  return {
    message: `the authority in ${caFile} is not valid before ${validFromDate.toISOString()}: it was made by a clock that was ahead, or this one is behind`,
    remedy: `Put the clock of this machine right. If it is: move ${dir} away, restart, and give every client the new ca.pem.`,
  };
}

/** Undefined: missing, so Lictor creates one. Throws `own-certificate-unusable` for a certificate of another authority. */
export function readServer({ serverFile, caFile }: OwnCertificatePaths, authority: Authority): X509Certificate | undefined {
  const pem = read(serverFile);
  if (pem === undefined) return undefined;
  const certificate = parse(pem, serverFile);
  const signed = certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey);
  if (!signed) throw unusable(serverFile, `was not signed by ${caFile}`);
  if (!belongs(certificate, pem)) throw unusable(serverFile, 'holds another key than its certificate was made for');
  return certificate;
}

/** For exactly these hosts. */
export function speaksFor(certificate: X509Certificate, hosts: readonly Host[]): boolean {
  const named = hosts.every((host) => (host.kind === 'name' ? certificate.checkHost(host.name, { subject: 'never' }) : certificate.checkIP(hostText(host))));
  return named && certificate.subjectAltName?.split(', ').length === hosts.length;
}

/** True after two thirds of its life, or before its start, because a clock was wrong. */
export function isDue({ validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>, nowMs: number): boolean {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return nowMs < from || nowMs >= from + ((to - from) * 2) / 3;
}

export function unusable(file: string, what: string): LictorError {
  return new LictorError(
    'own-certificate-unusable',
    `${file} ${what}; nothing was changed. Put the right file back. Or move it away (server.pem alone, else its whole directory), and a new one is made: after a new ca.pem every client needs that.`,
  );
}

/** Undefined: no file. Rejects a key that other users can read. */
function read(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if ((stats.mode & 0o077) !== 0 && !file.endsWith('ca.pem')) throw unusable(file, `can be read by other users (chmod 600 ${file})`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw unusable(file, 'cannot be read');
  }
}

function parse(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw unusable(file, 'holds no PEM certificate');
  }
}

function belongs(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}
