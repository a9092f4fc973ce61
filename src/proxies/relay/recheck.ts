// Decides open sockets again: after a security change, and when their credential expires.
import type { ReasonCode } from '../../contract/reasons.ts';
import { CLOSE, refusalReason } from '../../prefect/frames/close-codes.ts';
import { closeSoon } from '../../prefect/frames/first-frame.ts';
import { eachAgain, expiredAt } from '../tunnels/again.ts';
import { messageOf, type RelayCore, recordRefusal, screenedOnly } from './core.ts';
import type { Session } from './session.ts';

/**
 * Nothing was taken away: a client with short-lived credentials comes back with a fresh one, and 1012 is what it comes back on. After
 * 1008 a worker would give its channel up for good. A client without a fresh one is denied at the upgrade.
 */
const ENDED_BY_ITS_CLOCK: ReadonlySet<ReasonCode> = new Set(['credential-expired', 'session-expired', 'session-unconfirmed', 'certificate-expired']);

/** Every open socket, with its own inputs and frame token. Resolves when those no longer allowed are being closed. */
export async function recheckAll(core: RelayCore): Promise<void> {
  core.generation += 1;
  await eachAgain(core.sessions, (session) => recheckOne(core, session));
}

/** Those whose credential has ended by its own clock (a session may have been prolonged: only the decider knows). */
export async function recheckExpired(core: RelayCore): Promise<void> {
  await eachAgain(expiredAt(core.sessions, core.parts.clock()), (session) => recheckOne(core, session));
}

/** Closes the socket unless it is still allowed. */
export async function recheckOne(core: RelayCore, session: Session): Promise<void> {
  const { visit, client } = session;
  try {
    const answer = screenedOnly(core, visit, await core.parts.decider.authorize(visit.inputs, [], session.frameToken));
    if (answer.ok) {
      session.authorization = answer;
      return;
    }
    if (answer.reason === 'gateway-unavailable') return endUndecided(session);
    core.sessions.delete(session);
    session.ended = true;
    closeSoon(client, ENDED_BY_ITS_CLOCK.has(answer.reason) ? CLOSE.restart : CLOSE.policy, refusalReason(answer.reason));
    // A record of its own: the socket's request id has its record since it was opened.
    await recordRefusal(core, { ...visit, inputs: { ...visit.inputs, requestId: '' } }, answer.reason, answer);
  } catch (error) {
    core.log.warn({ path: visit.inputs.path, error: messageOf(error) }, 'an open socket could not be decided again: closed with 1012');
    endUndecided(session);
  }
}

/** Nobody can say that it is still allowed. Stock clients come back, and are decided then. */
function endUndecided(session: Session): void {
  session.ended = true;
  closeSoon(session.client, CLOSE.restart, refusalReason('gateway-unavailable'));
}
