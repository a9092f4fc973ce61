// The socket to the service for an allowed client: its headers and credential, and the server that accepts it.
import type { Service } from '../../../config/service.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { openAgent, type ServiceAgent } from '../../egress/agent.ts';
import { endingOf, type ServiceSocketCore, type Session } from './core.ts';
import { type Dialled, dialService } from './dial.ts';
import { type Outgoing, outgoingHeaders } from './outgoing.ts';
import { targetOf } from './visit.ts';

export type ServiceSocket = Extract<Dialled, { kind: 'open' }>;

/** Or the reason for none. The caller checks whether the session has ended. */
export async function openServiceSocket(core: ServiceSocketCore, session: Session, protocols: readonly string[]): Promise<ServiceSocket | ReasonCode> {
  const { visit, runtime, service, authorization } = session;
  const token = await runtime.services.credentials.tokens.of(service.name);
  if (token === undefined) return 'service-credential-unavailable';
  const assertion = await runtime.services.assert({ service: service.name, principal: authorization.principal, run: authorization.entities[0] ?? null });
  const deadline = AbortSignal.timeout(service.timeoutSeconds * 1000);
  const opened = await askServers(core, session, { runtime, service, visit, protocols, assertion, token: token?.token ?? null }, deadline);
  if (typeof opened !== 'string' || !deadline.aborted) return opened;
  return 'service-timeout';
}

async function askServers(core: ServiceSocketCore, session: Session, outgoing: Outgoing, deadline: AbortSignal): Promise<ServiceSocket | ReasonCode> {
  const { visit, service } = session;
  const { servers, log } = core.parts;
  const signal = AbortSignal.any([session.ending.signal, deadline]);
  for (const server of core.choose(service)) {
    if (signal.aborted) break;
    session.origin = server.origin;
    const dialled = await dialService({
      ...{ origin: new URL(server.origin), agent: agentOf(core, service), target: targetOf(visit, service), headers: outgoingHeaders(outgoing), signal },
      ...{ host: servers.hostOf(service, server), protocols: outgoing.protocols, connectMs: core.limits.connectMs, headBytes: core.limits.headBytes },
    });
    if (dialled.kind === 'open') return dialled;
    if (endingOf(session) === undefined) log.warn({ service: service.name, server: server.origin, ...dialled }, 'a server of a service opened no socket');
    if (dialled.kind === 'refused') return refused(session, dialled.status);
  }
  return 'service-unavailable';
}

/** An answer is final: no other server is tried. */
function refused({ runtime, service, visit }: Session, status: number | null): ReasonCode {
  if (status === 401) runtime.services.credentials.tokens.refused(service.name, visit.startedMs);
  return 'service-socket-refused';
}

function agentOf({ agents }: ServiceSocketCore, service: Service): ServiceAgent {
  const agent = agents.get(service) ?? openAgent(service);
  agents.set(service, agent);
  return agent;
}
