// The certificate files of a configuration: whether they changed, and whether they can be used.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';
import { createProblemList } from './report.ts';
import { checkPair } from './sections/tls.ts';

/** Digest of the contents; null without TLS. An unreadable file counts as a content of its own. */
export function certificateFingerprint({ tls }: Pick<Config, 'tls'>): string | null {
  if (tls === null) return null;
  const hash = createHash('sha256');
  const client = tls.client === null ? [] : [tls.client.caFile, ...(tls.client.crlFile === null ? [] : [tls.client.crlFile])];
  for (const file of [tls.certFile, tls.keyFile, ...client]) hash.update(contentOf(file)).update('\0');
  return hash.digest('hex');
}

/** Readable, a pair, private enough. Not checked: names and expiry. */
export function checkCertificates({ tls }: Pick<Config, 'tls'>): readonly Problem[] {
  if (tls === null) return [];
  const problems = createProblemList(() => undefined);
  checkPair(tls, problems.report);
  return problems.all();
}

function contentOf(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch {
    return 'unreadable'; // checkCertificates says what is wrong
  }
}
