// The served certificate of public_url, and its files: expiry, names, chain, key.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** What a client sees. */
export interface Served {
  readonly certificate: X509Certificate;
  /** OpenSSL's code for an untrusted chain, without the check of names. Null: trusted. Undefined: the certificate cannot be served. */
  readonly chainProblem: string | null | undefined;
}

export interface ServedQuestion {
  readonly hostname: string;
  readonly port: number;
  readonly authorities: readonly string[];
  /** One of several that the host name has. */
  readonly address?: string;
}

const TIMEOUT_MS = 8_000;
const SOON_MS = 14 * 86_400_000;

/** Rejects when the TLS handshake fails. */
export function fetchServed({ hostname, port, authorities, address }: ServedQuestion): Promise<Served> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const options = { host: address ?? host, port, ca: [...authorities], rejectUnauthorized: false, checkServerIdentity: () => undefined, timeout: TIMEOUT_MS };
    const socket: TLSSocket = connect({ ...options, ...(isIP(host) === 0 && { servername: host }) }, () => {
      const certificate = socket.getPeerX509Certificate();
      const problem = socket.authorized ? null : String(socket.authorizationError);
      socket.destroy();
      if (certificate === undefined) reject(new Error('no certificate was sent'));
      else resolve({ certificate, chainProblem: problem });
    });
    socket.once('timeout', () => socket.destroy(new Error(`no TLS handshake within ${TIMEOUT_MS / 1000} s`)));
    socket.once('error', reject);
  });
}

export function checkExpiry({ validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>, nowMs: number): Verdict {
  const left = validToDate.getTime() - nowMs;
  const until = validToDate.toISOString().slice(0, 10);
  const renew = 'Renew it, and put the new chain where tls.cert points.';
  if (validFromDate.getTime() > nowMs)
    return fail(`the certificate is not valid before ${validFromDate.toISOString()}`, 'Check the clock of this machine, or wait.');
  if (left <= 0) return fail(`the certificate expired on ${until}`, renew);
  return left < SOON_MS
    ? warn(`the certificate expires on ${until}, in ${Math.floor(left / 86_400_000)} days`, renew)
    : ok(`the certificate is valid until ${until}`);
}

export function checkName(certificate: X509Certificate, hostname: string): Verdict {
  const host = hostname.replace(/^\[|\]$/g, '');
  const matches = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  if (matches !== undefined) return ok(`the certificate is for ${host}`);
  return fail(
    `the certificate is not for ${host}: it names ${certificate.subjectAltName ?? 'no host at all'}`,
    'Get a certificate whose subjectAltName has the host of public_url, or correct public_url.',
  );
}

/** Other checks report expiry, and a key of another certificate. */
export function checkChain(problem: Served['chainProblem'], bundle: string | undefined): Verdict | readonly Verdict[] {
  if (problem === undefined) return [];
  const by = bundle === undefined ? "this machine's authorities" : bundle;
  if (problem === null || problem === 'CERT_HAS_EXPIRED' || problem === 'CERT_NOT_YET_VALID') return ok(`the chain is complete, by ${by}`);
  if (problem === 'DEPTH_ZERO_SELF_SIGNED_CERT' || problem === 'SELF_SIGNED_CERT_IN_CHAIN') {
    return fail(
      `the certificate is signed by an authority that is unknown to ${by} (${problem})`,
      'Give every client the authority: PREFECT_API_SSL_CERT_FILE=ca.pem. Set the same variable for lictor doctor.',
    );
  }
  return fail(
    `the chain is incomplete, or its authority unknown to ${by} (${problem})`,
    'tls.cert must hold the server certificate and every intermediate one after it. If you have your own authority: PREFECT_API_SSL_CERT_FILE=ca.pem for clients and for lictor doctor.',
  );
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Whether key and certificate on disk belong together, and are the served ones. */
export function checkFiles({ certFile, keyFile }: CertificateFiles, served: X509Certificate | undefined): Verdict {
  const certificate = new X509Certificate(readFileSync(certFile));
  if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))) {
    return fail(`the key in ${keyFile} does not belong to the certificate in ${certFile}`, 'Use the key of that certificate.');
  }
  if (served !== undefined && served.fingerprint256 !== certificate.fingerprint256) {
    return warn(
      'the served certificate is not the one in tls.cert',
      'After a renewal, send SIGHUP to lictor up. Or a proxy before the gateway has its own certificate.',
    );
  }
  return ok('the key belongs to the certificate');
}
