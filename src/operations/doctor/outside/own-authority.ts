// The certificate authority that the gateway made: valid, and not about to expire.
import { aheadProblem, readAuthority, readServer } from '../../../config/certificates/read.ts';
import type { OwnCertificatePaths } from '../../../config/state-dir.ts';
import { LictorError } from '../../../contract/error.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** People must give every client the new authority, which takes time. */
const SOON_MS = 365 * 86_400_000;

export function checkOwnAuthority(paths: OwnCertificatePaths, nowMs: number): Verdict {
  try {
    const authority = readAuthority(paths, nowMs);
    readServer(paths, authority);
    const ahead = aheadProblem(paths, authority.certificate, nowMs);
    return ahead === undefined ? verdictOn(paths, authority.certificate.validToDate, nowMs) : fail(ahead.message, ahead.remedy);
  } catch (error) {
    if (error instanceof LictorError) return fail(error.message, 'Fix that file. Meanwhile nginx serves the current certificate.');
    throw error;
  }
}

function verdictOn({ dir, caFile }: OwnCertificatePaths, until: Date, nowMs: number): Verdict {
  const day = until.toISOString().slice(0, 10);
  if (until.getTime() - nowMs < SOON_MS)
    return warn(`the authority in ${caFile} expires on ${day}`, `Plan a day to move ${dir} away, restart, and give every client the new ca.pem.`);
  return ok(`clients need ${caFile} (PREFECT_API_SSL_CERT_FILE); it is valid until ${day}`);
}
