// Client certificates, if the configuration asks for them. Only then Lictor loads the X.509 library.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { InspectCertificate } from './certificates.ts';

/** Null: Lictor accepts no certificates. */
export async function openCertificates(
  { identityProviders, tls }: Pick<Config, 'identityProviders' | 'tls'>,
  clock: Clock,
): Promise<InspectCertificate | null> {
  const provider = identityProviders.find((candidate) => candidate.type === 'mtls');
  if (provider === undefined || tls?.client == null) return null;
  const { createCertificates } = await import('./certificates.ts');
  return createCertificates({ provider, crlFile: tls.client.crlFile, clock });
}
