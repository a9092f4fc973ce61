// The upgrade request, step by step: a credential in a header is decided before the 101; else the first frame after the 101 decides.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Authorization } from '../../authorization/decide/decider.ts';
import { carriesCredential, parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { LictorError } from '../../contract/error.ts';
import { CLAIM } from '../../contract/names.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { parseAuthFrame } from '../../prefect/frames/auth-frame.ts';
import { CLOSE, refusalReason } from '../../prefect/frames/close-codes.ts';
import { boundReading, closeSoon, within } from '../../prefect/frames/first-frame.ts';
import { createInbox, type Inbox } from '../../prefect/frames/inbox.ts';
import { forwardedHeaders, offersPrefect } from '../../prefect/frames/upgrade-request.ts';
import { attend, type Upgrade } from './attend.ts';
import { decide, isEventsIn, type RelayCore, recordOpening, recordRefusal, restartCode } from './core.ts';
import type { Visit } from './record.ts';
import { refuse, responseOn } from './refuse.ts';
import { type Allowed, runSession } from './session.ts';

/** Frame header and mask, and the pings that stock clients send first. */
const FRAMING_BYTES = 1024;

/** A plain request on a socket's path. It is authenticated first, and only then reported as wrong. */
export async function answerPlainRequest(core: RelayCore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const visit = visitOf(core, request);
  const authorization = await decide(core, visit, undefined, () => response.destroyed);
  const code = authorization.ok ? 'not-a-socket' : authorization.reason;
  await recordRefusal(core, visit, code, authorization);
  refuse(response, code, visit.inputs.requestId);
}

export async function answerUpgrade(core: RelayCore, upgrade: Upgrade): Promise<void> {
  const { request, socket } = upgrade;
  const visit = visitOf(core, request);
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return answerPlainRequest(core, request, responseOn(request, socket));
  if (carriesCredential(visit.inputs)) return openByHeader(core, visit, upgrade);
  return openWithoutCredential(core, visit, upgrade);
}

async function openByHeader(core: RelayCore, visit: Visit, upgrade: Upgrade): Promise<void> {
  const { inputs } = visit;
  // Cross-site WebSocket hijacking: a browser sends the cookie for any page.
  const byCookie = inputs.session !== '' && inputs.authorization === '' && inputs.token === '';
  if (byCookie && !inputs.sameOrigin) return refuseUpgrade(core, visit, upgrade, { reason: 'origin-foreign', authorization: null });
  const { generation } = core;
  const authorization = await decide(core, visit, undefined, () => upgrade.socket.destroyed);
  if (!authorization.ok) {
    await refuseUpgrade(core, visit, upgrade, { reason: authorization.reason, authorization });
    return;
  }
  if (!(await recordOpening(core, visit, authorization, () => upgrade.socket.destroyed))) {
    await refuseUpgrade(core, visit, upgrade, { reason: 'ledger-unavailable', authorization });
    return;
  }
  const opened = await switchProtocols(core, visit, upgrade);
  if (opened.client.protocol === 'prefect' && !(await awaitOwnFrame(core, opened))) return;
  await runSession(
    core,
    { visit, client: opened.client, frameToken: undefined, sinceMs: core.parts.clock(), generation, authorization },
    opened.inbox,
    forwardedHeaders(upgrade.request.headers),
  );
}

/** The client's own auth frame is not forwarded: its header has decided. Any other first frame is refused, as Prefect does. */
async function awaitOwnFrame(core: RelayCore, { client, inbox }: Opened): Promise<boolean> {
  const frame = await within(inbox.first(), core.limits.authorisedFirstFrameMs);
  if (!parseAuthFrame(frame, core.limits.firstFrameBytes).ok) {
    client.close(CLOSE.policy, "Expected 'auth' message");
    return false;
  }
  return true;
}

/** A client that leaves while it waits costs little, and is in the access log. */
async function openWithoutCredential(core: RelayCore, visit: Visit, asked: Upgrade): Promise<void> {
  const attended = attend(asked);
  const leave = await core.admissionQueue.enter(visit.inputs.address, core.limits.firstFrameMs, attended.left);
  const upgrade = attended.end();
  try {
    if (upgrade === undefined) asked.socket.destroy();
    else if (offersPrefect(upgrade.request.headers)) await openByFrame(core, visit, upgrade, leave);
    else await refuseUpgrade(core, visit, upgrade, { reason: 'credential-missing', authorization: null });
  } finally {
    leave?.();
  }
}

async function openByFrame(core: RelayCore, visit: Visit, upgrade: Upgrade, leave: (() => void) | undefined): Promise<void> {
  const { generation } = core;
  const opened = await switchProtocols(core, visit, upgrade);
  const proven = leave === undefined ? undefined : await proveByFrame(core, visit, opened, upgrade.socket);
  leave?.();
  if (leave === undefined) await closeRefused(core, visit, opened.client, { reason: 'sockets-waiting', authorization: null });
  if (proven === undefined) return;
  const session = { visit, client: opened.client, sinceMs: core.parts.clock(), generation, ...proven };
  await runSession(core, session, opened.inbox, forwardedHeaders(upgrade.request.headers));
}

/** Reads the first frame and decides by it. Undefined if the socket was closed instead. */
async function proveByFrame(core: RelayCore, visit: Visit, opened: Opened, raw: Duplex): Promise<{ frameToken: string; authorization: Allowed } | undefined> {
  const { client, inbox } = opened;
  const { firstFrameBytes, firstFrameMs } = core.limits;
  const reading = boundReading(client, raw, firstFrameBytes + FRAMING_BYTES);
  try {
    const first = await within(Promise.race([inbox.first(), reading.full]), firstFrameMs);
    const frame = parseAuthFrame(first, firstFrameBytes);
    const frameToken = frame.ok ? frame.token : null;
    if (frameToken === null) {
      await closeRefused(core, visit, client, { reason: frame.ok ? 'socket-token-missing' : 'credential-missing', authorization: null });
      return undefined;
    }
    const authorization = await decide(core, visit, frameToken, () => client.readyState !== client.OPEN);
    if (!authorization.ok) {
      await closeRefused(core, visit, client, { reason: authorization.reason, authorization });
      return undefined;
    }
    if (await recordOpening(core, visit, authorization, () => client.readyState !== client.OPEN)) return { frameToken, authorization };
    await closeRefused(core, visit, client, { reason: 'ledger-unavailable', authorization });
    return undefined;
  } finally {
    reading.release();
  }
}

interface Refusal {
  readonly reason: ReasonCode;
  readonly authorization: Authorization | null;
}

/** A refusal is 1008. After an outage stock clients reconnect: after 1008 a worker gives up its channel. */
async function closeRefused(core: RelayCore, visit: Visit, client: WebSocket, { reason, authorization }: Refusal): Promise<void> {
  closeSoon(client, REASONS[reason].status === 503 ? restartCode(core, client) : CLOSE.policy, refusalReason(reason));
  await recordRefusal(core, visit, reason, authorization);
}

async function refuseUpgrade(core: RelayCore, visit: Visit, upgrade: Upgrade, refusal: Refusal): Promise<void> {
  const { reason, authorization } = refusal;
  if (isEventsIn(visit) && REASONS[reason].status === 503) {
    // Stock clients drop the events in hand after any HTTP status. After a close they connect again.
    const { client, inbox } = await switchProtocols(core, visit, upgrade);
    inbox.discard();
    await closeRefused(core, visit, client, refusal);
    return;
  }
  await recordRefusal(core, visit, reason, authorization);
  refuse(responseOn(upgrade.request, upgrade.socket), reason, visit.inputs.requestId, detailOf(refusal));
}

function detailOf({ reason, authorization }: Refusal): string | undefined {
  return authorization?.ok === false && authorization.reason === reason ? authorization.detail : undefined;
}

interface Opened {
  readonly client: WebSocket;
  readonly inbox: Inbox;
}

/** Sends the 101. Rejects if the client has left, if its handshake is malformed (the server's handler answers), and while draining. */
function switchProtocols(core: RelayCore, visit: Visit, { request, socket, head }: Upgrade): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const refused = () => reject(new LictorError('client-gone', 'the client left before its upgrade'));
    if (core.draining || socket.destroyed) {
      socket.destroy();
      refused();
      return;
    }
    socket.once('close', refused);
    core.webSockets.handleUpgrade(request, socket, head, (client) => {
      // A protocol error closes the socket with its own code (1009 for an oversized frame). The close event handles the rest.
      client.on('error', () => undefined);
      if (isEventsIn(visit)) core.unready.add(client);
      // An upgrade that waited was paused.
      socket.resume();
      resolve({ client, inbox: createInbox(client, core.limits.holdBytes) });
    });
  });
}

function visitOf(core: RelayCore, request: IncomingMessage): Visit {
  const inputs = parseEdgeInputs(request.headers);
  const { catalogue } = core.parts;
  const named = catalogue.byId(inputs.operation);
  // Name and path both come from nginx. A path that does not match its name opens nothing.
  const params = named === undefined ? undefined : catalogue.params(named, inputs.path);
  const operation = params === undefined ? undefined : named;
  const resourceId = operation?.idParam == null ? null : (params?.[operation.idParam] ?? null);
  const claims = { flowRun: request.headers[CLAIM.flowRun], deployment: request.headers[CLAIM.deployment] };
  return { inputs, userAgent: request.headers['user-agent'] ?? '', operation, resourceId, claims };
}
