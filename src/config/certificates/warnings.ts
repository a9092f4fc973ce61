// Warnings about the self-made certificate, for the administrator who starts the gateway.
import type { OwnCertificatePaths } from '../state-dir.ts';
import type { Ensured } from './own.ts';
import { aheadProblem, readAuthority } from './read.ts';

/** Null: no certificate is self-made. Throws `own-certificate-unusable`. */
export function ownCertificateWarnings(ensured: Ensured | null, paths: OwnCertificatePaths, nowMs: number): readonly string[] {
  if (ensured === null) return [];
  const ahead = aheadProblem(paths, readAuthority(paths, nowMs).certificate, nowMs);
  return [
    ...(ensured.made === 'authority' ? [madeText(ensured.formerDir, paths.caFile)] : []),
    ...(ahead === undefined ? [] : [`${ahead.message}. ${ahead.remedy}`]),
  ];
}

function madeText(formerDir: string | null, caFile: string): string {
  const former = formerDir === null ? '' : ` The files for another host are in ${formerDir}.`;
  return `made a certificate authority of its own: every client needs ${caFile} (PREFECT_API_SSL_CERT_FILE).${former}`;
}
