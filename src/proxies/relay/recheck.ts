// Decides open sockets again: after a security change, and when their credential expires.
import type { ReasonCode } from '../../contract/reasons.ts';
import { CLOSE, refusalReason } from '../../prefect/frames/close-codes.ts';
import { closeSoon } from '../../prefect/frames/first-frame.ts';
import { messageOf, type RelayCore, recordRefusal, restartCode, screenedOnly } from './core.ts';
import type { Session } from './session.ts';

/**
 * No right was removed: a client with short-lived credentials reconnects with a new one after 1012. After 1008 a worker would give up
 * its channel. A client without a new credential is denied at the upgrade.
 */
const ENDED_BY_ITS_CLOCK: ReadonlySet<ReasonCode> = new Set(['credential-expired', 'session-expired', 'session-unconfirmed', 'certificate-expired']);

/** Closes the socket unless it is still allowed. */
export async function recheckOne(core: RelayCore, session: Session): Promise<void> {
  const { visit, client } = session;
  try {
    const answer = screenedOnly(core, visit, await core.parts.decider.authorize(visit.inputs, [], session.frameToken));
    if (answer.ok) {
      session.authorization = answer;
      return;
    }
    if (answer.reason === 'gateway-unavailable') return endForNow(core, session, 'gateway-unavailable');
    core.sessions.delete(session);
    session.ended = true;
    closeSoon(client, ENDED_BY_ITS_CLOCK.has(answer.reason) ? restartCode(core, client) : CLOSE.policy, refusalReason(answer.reason));
    // A separate record: the socket's request id has had its record since the opening.
    await recordRefusal(core, { ...visit, inputs: { ...visit.inputs, requestId: '' } }, answer.reason, answer);
  } catch (error) {
    core.log.warn({ path: visit.inputs.path, error: messageOf(error) }, 'an open socket could not be decided again: closed with 1012');
    endForNow(core, session, 'gateway-unavailable');
  }
}

/** No right ends: stock clients reconnect, and are decided then. */
export function endForNow(core: RelayCore, session: Session, why: 'gateway-unavailable' | 'socket-closed'): void {
  session.ended = true;
  closeSoon(session.client, restartCode(core, session.client), refusalReason(why));
}
