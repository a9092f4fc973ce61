// Which certificate authorities this machine's clients trust.
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

type Environment = Readonly<Record<string, string | undefined>>;

/** The bundle that Python's clients would use, where one is named; else the system's authorities. */
export function bundleFile(env: Environment): string | undefined {
  return [env['PREFECT_API_SSL_CERT_FILE'], env['SSL_CERT_FILE']].find((file) => file !== undefined && file !== '');
}

/** PEM texts. A bundle that cannot be read is no bundle. */
export function trustedAuthorities(env: Environment): readonly string[] {
  const file = bundleFile(env);
  if (file !== undefined) return [read(file)].filter((pem) => pem !== '');
  return systemAuthorities();
}

/** PEM texts, each once: the system's are mostly Node's own, and every connection reads all it is given. */
export function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
