// Decides sockets of services again: after a security change or a reload, and when their credential expires.
import { eachAgain, expiredAt } from '../../tunnels/again.ts';
import { type Ending, messageOf, recordRefusal, type ServiceSocketCore, type Session } from './core.ts';

/** Resolves when those no longer allowed are ending; also those that are still being opened. */
export async function recheckAll(core: ServiceSocketCore): Promise<void> {
  core.generation += 1;
  await eachAgain(core.sessions, (session) => recheckOne(core, session));
}

/** Those whose credential has ended by its own clock. */
export async function recheckExpired(core: ServiceSocketCore): Promise<void> {
  await eachAgain(expiredAt(core.sessions, core.parts.clock()), (session) => recheckOne(core, session));
}

/** Ends the socket unless it is still allowed, and still leads to what is configured; where nobody can say, too: a client opens another, and is decided then. */
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
