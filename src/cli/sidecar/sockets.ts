// One socket: the client presents the loopback secret in the header or the first frame, then the sidecar joins it with one to the gateway.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { AUTH_SUCCESS, parseAuthFrame } from '../../prefect/frames/auth-frame.ts';
import { CLOSE, cutReason, refusalReason } from '../../prefect/frames/close-codes.ts';
import { boundReading, closeSoon, within } from '../../prefect/frames/first-frame.ts';
import { createInbox, type Inbox } from '../../prefect/frames/inbox.ts';
import { joinSockets } from '../../prefect/frames/join.ts';
import { forwardedHeaders, offersPrefect } from '../../prefect/frames/upgrade-request.ts';
import { type Opening, openGatewaySocket } from './gateway-socket.ts';
import type { SidecarParts } from './parts.ts';

export interface Sockets {
  /** The guard has accepted the request. Never rejects: a failed connection is closed. */
  open(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** With 1001. */
  close(): void;
}

const LIMITS = {
  firstFrameMs: 5000,
  firstFrameBytes: 16 * 1024,
  /** Sockets without a secret yet. Other users of this machine could hold them. */
  unproven: 64,
  /** How long the gateway, or a credential, may be missing before a client is closed with 1012. */
  holdMs: 30_000,
  holdBytes: 256 * 1024,
  frameBytes: 16 * 1024 * 1024,
  highWaterBytes: 1024 * 1024,
  lowWaterBytes: 256 * 1024,
  /** A client can wait only after its handshake. During the handshake its unsent events would be lost. */
  greetAfterMs: 1000,
} as const;

export function createSockets(parts: SidecarParts): Sockets {
  const server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: LIMITS.frameBytes,
    handleProtocols: (offered) => (offered.has('prefect') ? 'prefect' : false),
  });
  let unproven = 0;
  const handle = async (request: IncomingMessage, raw: Duplex, head: Buffer): Promise<void> => {
    let runToken = parts.guard.runTokenIn(request.headers);
    const proven = runToken !== undefined || parts.guard.isOurs(request.headers.authorization);
    if (!proven && (request.headers.authorization !== undefined || !offersPrefect(request.headers) || unproven >= LIMITS.unproven)) return refuseUpgrade(raw);
    const { client, inbox } = await accept(server, request, raw, head);
    unproven += 1;
    try {
      if (client.protocol === 'prefect') {
        const frame = await provedByFrame(parts, { client, inbox, raw, proven });
        if (!frame.ok) return;
        // Without a header, the frame identifies the client.
        if (!proven) runToken = frame.runToken;
      }
    } finally {
      unproven -= 1;
    }
    await run(parts, { client, inbox, request, runToken });
  };
  return {
    open: (request, raw, head) => void handle(request, raw, head).catch(() => raw.destroy()),
    close() {
      for (const client of server.clients) client.close(CLOSE.goingAway);
    },
  };
}

/** Gives no further detail: a client without the secret has no business here. */
function refuseUpgrade(raw: Duplex): void {
  raw.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

interface Opened {
  readonly client: WebSocket;
  readonly inbox: Inbox;
}

function accept(server: WebSocketServer, request: IncomingMessage, raw: Duplex, head: Buffer): Promise<Opened> {
  return new Promise((resolve, reject) => {
    raw.once('close', () => reject(new Error('the client has left')));
    server.handleUpgrade(request, raw, head, (client) => {
      // A protocol error closes the socket with its own code.
      client.on('error', () => undefined);
      resolve({ client, inbox: createInbox(client, LIMITS.holdBytes) });
    });
  });
}

/** The client's own auth frame is not forwarded. */
async function provedByFrame(
  parts: SidecarParts,
  { client, inbox, raw, proven }: Opened & { readonly raw: Duplex; readonly proven: boolean },
): Promise<{ readonly ok: boolean; readonly runToken?: string | undefined }> {
  const reading = boundReading(client, raw, LIMITS.firstFrameBytes);
  try {
    const frame = parseAuthFrame(await within(Promise.race([inbox.first(), reading.full]), LIMITS.firstFrameMs), LIMITS.firstFrameBytes);
    const runToken = frame.ok && frame.token !== null ? parts.guard.runTokenOf(frame.token) : undefined;
    if (frame.ok && (proven || runToken !== undefined || (frame.token !== null && parts.guard.isOurToken(frame.token)))) return { ok: true, runToken };
    closeSoon(client, CLOSE.policy, refusalReason('sidecar-foreign'));
    return { ok: false };
  } finally {
    reading.release();
  }
}

interface Run extends Opened {
  readonly request: IncomingMessage;
  readonly runToken: string | undefined;
}

async function run(parts: SidecarParts, { client, inbox, request, runToken }: Run): Promise<void> {
  const gone = new AbortController();
  client.once('close', () => gone.abort());
  const opening = openGatewaySocket(parts, {
    target: request.url ?? '/',
    protocol: client.protocol,
    headers: forwardedHeaders(request.headers),
    runToken,
    limits: LIMITS,
    signal: gone.signal,
  });
  const opened = client.protocol === 'prefect' ? await greeted(client, opening) : await opening;
  if (!opened.ok) return end(client, inbox, opened);
  const { socket } = opened;
  if (client.readyState !== client.OPEN || socket.readyState !== socket.OPEN) {
    socket.terminate();
    return end(client, inbox, { ok: false, kind: 'away' });
  }
  joinSockets({
    client: { socket: client, inbox },
    upstream: opened,
    secret: opened.secret,
    marks: LIMITS,
    pass: (frame, send) => send(frame),
  });
}

/** Waits for the gateway's answer for a while. A refusal within that time replaces the greeting. */
async function greeted(client: WebSocket, opening: Promise<Opening>): Promise<Opening> {
  const early = await within(opening, LIMITS.greetAfterMs);
  if (early !== undefined && !early.ok && early.kind === 'refused') return early;
  if (client.readyState === client.OPEN) client.send(AUTH_SUCCESS);
  return opening;
}

/** A refusal is 1008. After 1012 stock clients reconnect and send unconfirmed events again. */
function end(client: WebSocket, inbox: Inbox, opening: Opening & { readonly ok: false }): void {
  inbox.discard();
  if (opening.kind === 'refused') closeSoon(client, CLOSE.policy, cutReason(opening.words));
  else closeSoon(client, CLOSE.restart, 'the gateway cannot be reached');
}
