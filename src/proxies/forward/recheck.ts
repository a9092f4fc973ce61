// Decides open connections again: after a security change or a reload, and when their credential expires. Denied ones are closed at once.
import { type ForwardCore, messageOf, recordRefusal, type Session } from './core.ts';

/** Closes the connection unless it is still allowed, also if no decision is possible: the client connects again, and is decided then. */
export async function recheckOne(core: ForwardCore, session: Session): Promise<void> {
  const { visit } = session;
  try {
    const answer = await core.parts.connects.authorize(visit.inputs, visit.destination);
    if (answer.ok) {
      session.authorization = answer;
      return;
    }
    cut(core, session);
    // A separate record: the connection's own record began with it.
    const later = { ...visit, inputs: { ...visit.inputs, requestId: '' }, startedMs: core.parts.clock() };
    await recordRefusal(core, later, answer.reason, answer);
  } catch (error) {
    core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'an open connection could not be decided again: closed');
    cut(core, session);
  }
}

export function cut(core: ForwardCore, session: Session): void {
  core.sessions.delete(session);
  session.client.destroy();
}
