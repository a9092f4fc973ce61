// Detects changed certificate files of a configuration, and checks that they are usable.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';
import { createProblemList } from './report.ts';
import { checkPair } from './sections/tls.ts';

/** Digest of the contents; null without TLS. An unreadable file has a digest too. */
export function certificateFingerprint({ tls }: Pick<Config, 'tls'>): string | null {
  if (tls === null) return null;
  const client = tls.client === null ? [] : [tls.client.caFile, ...(tls.client.crlFile === null ? [] : [tls.client.crlFile])];
  return digestOf([tls.certFile, tls.keyFile, ...client]);
}

/** The same for the files that nginx connects to Prefect and services with; null: none. Without the authorities of the system. */
export function upstreamFingerprint({ prefect, services }: Pick<Config, 'prefect' | 'services'>): string | null {
  const ofServices = services.flatMap(({ caFile, certificate }) => [caFile, certificate?.certFile, certificate?.keyFile]);
  const files = [prefect.caFile, ...ofServices].filter((file) => file != null);
  return files.length === 0 ? null : digestOf(files);
}

/** Readable, a pair, private enough. Not checked: names and expiry. */
export function checkCertificates({ tls }: Pick<Config, 'tls'>): readonly Problem[] {
  if (tls === null) return [];
  const problems = createProblemList(() => undefined);
  checkPair(tls, (keys, message, remedy) => problems.report(['tls', ...keys], message, remedy));
  return problems.all();
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(contentOf(file)).update('\0');
  return hash.digest('hex');
}

function contentOf(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch {
    return 'unreadable'; // checkCertificates says what is wrong
  }
}
