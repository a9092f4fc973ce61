// Warns in `check` about a certificate that does not name the host of public_url: clients reject it.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import { checkName } from '../operations/doctor/outside/certificates.ts';

/**
 * Expects a loaded configuration: the file is a certificate. No warning with trusted_proxies: clients then see the certificate of the proxy. Not a
 * problem that stops the gateway, because a proxy without X-Forwarded-For may stand in front.
 */
export function certificateWarnings({ tls, publicUrl, proxies }: Pick<Config, 'tls' | 'publicUrl' | 'proxies'>): readonly Problem[] {
  if (tls === null || tls.selfMadeBy !== null || proxies.trusted.length > 0) return [];
  const verdict = checkName(new X509Certificate(readFileSync(tls.certFile)), publicUrl.hostname);
  if (verdict.status === 'ok') return [];
  return [{ path: 'tls.cert', message: `${verdict.message}: clients reject it`, remedy: verdict.remedy ?? '' }];
}
