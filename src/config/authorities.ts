// The certificate authorities that clients on this machine trust.
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

type Environment = Readonly<Record<string, string | undefined>>;

/** The bundle that the environment names for Python clients; otherwise the authorities of the system. */
export function bundleFile(env: Environment): string | undefined {
  return [env['PREFECT_API_SSL_CERT_FILE'], env['SSL_CERT_FILE']].find((file) => file !== undefined && file !== '');
}

/** PEM texts. An unreadable bundle is ignored. */
export function trustedAuthorities(env: Environment): readonly string[] {
  const file = bundleFile(env);
  if (file !== undefined) return [read(file)].filter((pem) => pem !== '');
  return systemAuthorities();
}

/** PEM texts, each once: most authorities of the system are in Node's list too, and every connection parses all of them. */
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
