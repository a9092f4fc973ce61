// Connections to the servers of a service with nginx's settings: the same authorities, the same certificate.
import { readFileSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { systemAuthorities } from '../../config/authorities.ts';
import type { Service } from '../../config/service.ts';

export type ServiceAgent = Agent | SecureAgent;

/** Most servers close an idle connection after five seconds. */
const IDLE_MS = 4_000;

/** A pool for each server. As in nginx, a call that must not be repeated may also use it, although the server may be closing the connection. */
export const POOLED: AgentOptions = { keepAlive: true, maxFreeSockets: 32, timeout: IDLE_MS };
/** A new connection for each call. */
export const UNPOOLED: AgentOptions = { keepAlive: false };

/** TLS sessions are resumed. */
export function openAgent({ servers, caFile, certificate }: Service, pool: AgentOptions = UNPOOLED): ServiceAgent {
  if (servers.every(({ origin }) => origin.startsWith('http:'))) return new Agent(pool);
  // Read once and not for each connection: the system has many authorities.
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ca: caFile === null ? systemAuthorities() : readFileSync(caFile),
    ...(certificate !== null && { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) }),
  });
  return new SecureAgent({ ...pool, secureContext });
}
