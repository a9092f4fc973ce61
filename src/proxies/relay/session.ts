// One authorised socket: its principal, its credential, and its connection to Prefect.
import type { WebSocket } from 'ws';
import type { Authorization } from '../../authorization/decide/decider.ts';
import type { WorkerChannel } from '../../contract/worker-channel.ts';
import { AUTH_SUCCESS } from '../../prefect/frames/auth-frame.ts';
import { CLOSE, closingFromUpstream } from '../../prefect/frames/close-codes.ts';
import { within } from '../../prefect/frames/first-frame.ts';
import type { Inbox } from '../../prefect/frames/inbox.ts';
import type { EventFilter } from '../../prefect/scope-filter/event-filter.ts';
import type { RelayCore } from './core.ts';
import { messageOf } from './core.ts';
import { createDropRecorder } from './dropped.ts';
import { createEntrance } from './entrance.ts';
import { type FrameGate, passEveryFrame } from './frame-gate.ts';
import { createDelivery, createIntake } from './passage.ts';
import { joinPipe } from './pipe.ts';
import { recheckOne } from './recheck.ts';
import type { Visit } from './record.ts';
import { openUpstream } from './upstream-socket.ts';
import { createHelloGate, WORKER_CHANNEL } from './worker-hello.ts';

export type Allowed = Authorization & { readonly ok: true };

export interface Session {
  readonly visit: Visit;
  /** For deciding again with the same token. Undefined if a header contained the credential. */
  readonly frameToken: string | undefined;
  readonly client: WebSocket;
  readonly sinceMs: number;
  /** `core.generation` before the decision. It may be larger now. */
  readonly generation: number;
  /** The latest one: its expiry is watched. */
  authorization: Allowed;
  /** The client's first filter on `/events/out`, which is the one that Prefect uses. */
  asked?: EventFilter;
  /** On a worker's channel: the name that it announced, and when frames came. */
  worker?: Pick<WorkerChannel, 'name' | 'sinceMs' | 'heardMs'>;
  /** It was decided again and denied: frames that wait for the screen are not sent. */
  ended?: true;
}

/** Closes of a client that does not come back; 1005: without a code. */
const LEFT: readonly number[] = [CLOSE.normal, CLOSE.goingAway, 1005];

/** Registers the session and joins it with Prefect; the client is held while Prefect is away, then closed with 1012. */
export async function runSession(core: RelayCore, session: Session, inbox: Inbox, headers: Readonly<Record<string, string>>): Promise<void> {
  const { client, visit } = session;
  const gone = new AbortController();
  core.sessions.add(session);
  let hasLeft = false;
  client.once('close', (code) => {
    hasLeft = LEFT.includes(code) && inbox.isHolding() && mayWait(core, session);
    if (hasLeft) {
      core.left += 1;
      return;
    }
    core.sessions.delete(session);
    gone.abort();
  });
  const isAway = () => client.readyState !== client.OPEN && !hasLeft;
  if (core.generation !== session.generation) await recheckOne(core, session);
  if (isAway()) {
    if (client.readyState === client.CLOSED) core.sessions.delete(session);
    return;
  }
  try {
    const opening = openUpstream({ upstream: core.parts.upstream, path: visit.inputs.path, headers, limits: core.limits, signal: gone.signal });
    if (client.protocol === 'prefect') await greet(client, opening, core.limits.greetAfterMs);
    core.unready.delete(client);
    const upstream = await opening;
    const closed = upstream.closed();
    if (isAway() || closed !== undefined) {
      upstream.socket.terminate();
      // Between its acceptance and here: it means what it means later.
      const { code, reason } = closingFromUpstream(closed?.code ?? CLOSE.restart, closed?.reason ?? '', upstream.token);
      endSession(session, inbox, code, reason);
      return;
    }
    const onDropped = createDropRecorder(core, session);
    joinPipe({
      client,
      clientInbox: inbox,
      upstream,
      entrance: createEntrance(core, session, onDropped),
      gate: gateOf(core, session),
      intake: createIntake(core, session, onDropped),
      delivery: createDelivery(core, session, upstream.socket),
      onDropped,
      isEnded: () => session.ended === true,
      limits: core.limits,
    });
  } catch (error) {
    if (gone.signal.aborted) return;
    core.log.warn({ request_id: visit.inputs.requestId, path: visit.inputs.path, error: messageOf(error) }, 'no socket to Prefect: client closed with 1012');
    endSession(session, inbox, CLOSE.restart, 'Prefect cannot be reached');
  } finally {
    if (hasLeft) {
      core.left -= 1;
      core.sessions.delete(session);
    }
  }
}

/** A flow run that ends sends its last events, closes, and does not send them again. Its session stays meanwhile: its right may still end. */
function mayWait({ left, limits }: RelayCore, { ended }: Session): boolean {
  return ended !== true && left < limits.left;
}

function gateOf(core: RelayCore, session: Session): FrameGate {
  const { operation } = session.visit;
  if (operation?.operationId === WORKER_CHANNEL) return createHelloGate(core, session);
  return (operation === undefined ? undefined : core.parts.gateFor?.(operation, session.authorization)) ?? passEveryFrame;
}

/**
 * Sent by the relay itself. While Prefect is there it means the same as without a gateway. While Prefect is not: a stock
 * client that is closed during its handshake loses its unsent events; after the handshake it sends them again.
 */
async function greet(client: WebSocket, opening: Promise<unknown>, greetAfterMs: number): Promise<void> {
  await within(
    opening.catch(() => undefined),
    greetAfterMs,
  );
  if (client.readyState === client.OPEN) client.send(AUTH_SUCCESS);
}

function endSession(session: Session, inbox: Inbox, code: number | undefined, reason: string): void {
  inbox.discard();
  session.client.close(code, reason);
}
