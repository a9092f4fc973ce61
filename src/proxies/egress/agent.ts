// Connections to the servers of a service as nginx makes them: the same authorities, the same certificate.
import { readFileSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { systemAuthorities } from '../../config/authorities.ts';
import type { Service } from '../../config/service.ts';

export type ServiceAgent = Agent | SecureAgent;

/** Servers of most makes close an idle connection after five seconds. */
const IDLE_MS = 4_000;

/** A pool for each server. A call that must not be repeated takes this risk too, as in nginx: the server closes the connection at that moment. */
export const POOLED: AgentOptions = { keepAlive: true, maxFreeSockets: 32, timeout: IDLE_MS };
/** A connection for each call. */
export const UNPOOLED: AgentOptions = { keepAlive: false };

/** TLS sessions are resumed. */
export function openAgent({ servers, caFile, certificate }: Service, pool: AgentOptions = UNPOOLED): ServiceAgent {
  if (servers.every(({ origin }) => origin.startsWith('http:'))) return new Agent(pool);
  // Read once, not for each connection: the system has many authorities.
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ca: caFile === null ? systemAuthorities() : readFileSync(caFile),
    ...(certificate !== null && { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) }),
  });
  return new SecureAgent({ ...pool, secureContext });
}
