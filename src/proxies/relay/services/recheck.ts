// Decides sockets of services again: after a security change or a reload, and when their credential expires.
import { type Ending, messageOf, recordRefusal, type ServiceSocketCore, type Session } from './core.ts';

/** Ends the socket unless it is still allowed, for the same configuration of the service. Also ends it if no decision is possible: the client opens another. */
export async function recheckOne(core: ServiceSocketCore, session: Session): Promise<void> {
  const { visit, call } = session;
  const end = (ending: Ending): void => session.ending.abort(ending);
  try {
    const { config, services } = core.parts.runtime();
    const service = config.services.find(({ name }) => name === call.service);
    const answer = await services.calls.authorize(visit.inputs, call);
    if (!answer.ok) {
      end(answer.reason);
      // A separate record, for the principal that opened the socket: the record of the opening is complete.
      const { principal, credential } = session.authorization;
      const later = { ...visit, inputs: { ...visit.inputs, requestId: '' }, startedMs: core.parts.clock() };
      return await recordRefusal(core, later, { call, reason: answer.reason, authorization: { ...answer, principal, credential } });
    }
    session.authorization = answer;
    if (JSON.stringify(service) !== JSON.stringify(session.service)) end('service-changed');
  } catch (error) {
    core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'an open socket of a service could not be decided again: closed');
    end('gateway-unavailable');
  }
}
