// Connections to the servers of a service as nginx would make them: the same authorities, the same certificate. One for each call.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Service } from '../../config/service.ts';

export type ServiceAgent = Agent | SecureAgent;

/** TLS sessions are resumed; a connection that is used again could be closed under a call that must not be repeated. */
export function openAgent({ servers, caFile, certificate }: Service): ServiceAgent {
  if (servers.every(({ origin }) => origin.startsWith('http:'))) return new Agent({ keepAlive: false });
  return new SecureAgent({
    keepAlive: false,
    minVersion: 'TLSv1.2',
    ...(caFile !== null && { ca: readFileSync(caFile) }),
    ...(certificate !== null && { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) }),
  });
}
