// Listeners, TLS, and the credential for Prefect: settings and ages, never a secret.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { renderTransportSecurity } from '../../edge/nginx/render-maps.ts';
import { TLS_CIPHERS, TLS_PROTOCOLS } from '../../edge/nginx/render-servers.ts';
import type { Boundary, CertificateRow } from './data.ts';

const DAY_MS = 86_400_000;

export function gatherBoundary(config: Config, nowMs: number): Boundary {
  const { tls, proxies, prefect, limits } = config;
  return {
    listen: config.listen.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
    tls: {
      by: tlsBy(config),
      protocols: tls === null ? [] : TLS_PROTOCOLS,
      ciphers: tls === null ? null : TLS_CIPHERS,
      strict_transport_security: renderTransportSecurity(config) !== '',
      certificate: tls === null ? null : certificateIn(tls.certFile, nowMs),
      client_authority: tls?.client == null ? null : certificateIn(tls.client.caFile, nowMs),
      revocation_list: tls?.client?.crlFile != null,
    },
    trusted_proxies: proxies.trusted,
    limits: limits.map(({ kind, name, rate, concurrency }) => ({
      for: kind === 'everyone' ? '*' : `${kind}:${name}`,
      per_second: rate?.perSecond ?? null,
      burst: rate?.burst ?? null,
      concurrency,
    })),
    forwarded_headers: config.forwardHeaders,
    upstream: {
      servers: prefect.servers,
      credential: prefect.credentialFile === null ? 'in the configuration, or none' : 'in a file of its own',
      credential_since: prefect.credentialFile === null ? null : writtenAt(prefect.credentialFile),
      own_authorities: prefect.caFile !== null,
    },
  };
}

function tlsBy({ tls, proxies }: Config): Boundary['tls']['by'] {
  if (tls !== null) return 'gateway';
  return proxies.terminateTls ? 'proxy in front' : 'none';
}

/** The first one in the file. Null: it cannot be read. */
function certificateIn(file: string, nowMs: number): CertificateRow | null {
  try {
    const certificate = new X509Certificate(readFileSync(file));
    return {
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      valid_to: certificate.validToDate.toISOString(),
      days_left: Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS),
      key: keyWords(certificate),
      sha256: certificate.fingerprint256,
    };
  } catch {
    return null; // The report says that it could not be read; lictor doctor says why.
  }
}

function keyWords({ publicKey: { asymmetricKeyType: type, asymmetricKeyDetails: details } }: X509Certificate): string {
  const size = details?.modulusLength ?? details?.namedCurve;
  return `${type ?? 'unknown'}${size === undefined ? '' : ` ${size}`}`;
}

function writtenAt(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false })?.mtime.toISOString() ?? null;
}

function oneLine(text: string | undefined): string {
  return (text ?? '').replaceAll('\n', ', ');
}
