// Decides open connections again: after a security change or a reload, and when their credential expires. Tunnels are cut, never asked.
import { eachAgain, expiredAt } from '../tunnels/again.ts';
import { type ForwardCore, messageOf, recordRefusal, type Session } from './core.ts';

/** Resolves when those no longer allowed are closed. */
export async function recheckAll(core: ForwardCore): Promise<void> {
  core.generation += 1;
  await eachAgain(core.sessions, (session) => recheckOne(core, session));
}

/** Those whose credential has ended by its own clock. */
export async function recheckExpired(core: ForwardCore): Promise<void> {
  await eachAgain(expiredAt(core.sessions, core.parts.clock()), (session) => recheckOne(core, session));
}

/** Closes the connection unless it is still allowed; where nobody can say, too: a client connects again, and is decided then. */
export async function recheckOne(core: ForwardCore, session: Session): Promise<void> {
  const { visit } = session;
  try {
    const answer = await core.parts.connects.authorize(visit.inputs, visit.destination);
    if (answer.ok) {
      session.authorization = answer;
      return;
    }
    cut(core, session);
    // A record of its own: the connection has one since it was opened.
    const later = { ...visit, inputs: { ...visit.inputs, requestId: '' }, startedMs: core.parts.clock() };
    await recordRefusal(core, later, answer.reason, answer);
  } catch (error) {
    core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'an open connection could not be decided again: closed');
    cut(core, session);
  }
}

function cut(core: ForwardCore, session: Session): void {
  core.sessions.delete(session);
  session.client.destroy();
}
