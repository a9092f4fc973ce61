// Answers that nginx may keep. It writes down whatever comes of one until it ends, also for a caller that has gone: so it asks for them here,
// and keeps those alone that say how long they are, or are held here whole. All others stream on, and are kept nowhere.
//
// Nothing is decided here, and no service is known: what is asked goes back to nginx, to the server that asks the service (src/edge/render-keeper.ts).
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { KEEPER } from '../../contract/names.ts';
import { endToEnd } from '../../sidecar/headers.ts';
import { answerOf } from '../answer-of.ts';
import { createBodyRoom } from '../courier/room.ts';
import { createRoom, type Held, hold, type Room } from './hold.ts';

export interface Keeper {
  /**
   * Trusts who calls: the socket in front is nginx's alone, and behind its decision. Where no whole head of an answer comes, the connection is
   * closed: nginx then asks the service without the keeper.
   */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

export interface KeeperParts {
  /** nginx's socket for this service. */
  readonly wayBack: (service: string) => string;
  /** Of all answers on their way to be kept: those that are held, and those that say how long they are. */
  readonly mostBytes: number;
  readonly log: Pick<Logger, 'warn'>;
  /** Tests alone have others. */
  readonly limits?: Partial<KeeperLimits>;
}

interface KeeperLimits {
  /** In all; one caller's leave some for those of others. */
  readonly calls: number;
  /** So long nginx lets others wait for an answer too. */
  readonly patienceMs: number;
}

const LIMITS: KeeperLimits = { calls: 512, patienceMs: 5_000 };

export function createKeeper({ wayBack, mostBytes: mostOfAll, log, limits }: KeeperParts): Keeper {
  const { calls, patienceMs } = { ...LIMITS, ...limits };
  const agent = new Agent({ keepAlive: false });
  const room = createRoom(mostOfAll);
  const underWay = createBodyRoom(calls);
  return {
    handle(request, response) {
      const asked = parseAsked(request.headers);
      if (asked === undefined || underWay.take(asked.caller, 1) !== 'taken') return void response.destroy();
      const { service, mostBytes, caller } = asked;
      bring({ request, response, agent, socketPath: wayBack(service), mostBytes, patienceMs, room })
        .catch((error: unknown) => {
          if (!response.destroyed) log.warn({ service, code: codeOf(error) }, 'an answer of a service did not come whole');
          response.destroy();
        })
        .finally(() => underWay.give(caller, 1));
    },
  };
}

interface Asked {
  readonly service: string;
  readonly mostBytes: number;
  readonly caller: string;
}

function parseAsked(headers: IncomingHttpHeaders): Asked | undefined {
  const [service, most, caller] = [String(headers[KEEPER.service]), String(headers[KEEPER.most]), String(headers[KEEPER.caller] ?? '')];
  return /^[a-z0-9-]+$/.test(service) && /^[0-9]{1,9}$/.test(most) ? { service, mostBytes: Number(most), caller } : undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

interface Bringing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly agent: Agent;
  readonly socketPath: string;
  readonly mostBytes: number;
  readonly patienceMs: number;
  readonly room: Room;
}

/** As nginx's buffer. */
const HEAD_BYTES = 32 << 10;

/** Resolves when the answer is passed on. How long it may take, nginx says, behind and before. */
async function bring(bringing: Bringing): Promise<void> {
  const { request, response, agent, socketPath } = bringing;
  const headers = endToEnd(request.headers, [KEEPER.service, KEEPER.most]);
  const call = httpRequest({ socketPath, agent, method: request.method, path: request.url, headers, maxHeaderSize: HEAD_BYTES });
  response.once('close', () => {
    if (!response.writableFinished) call.destroy();
  });
  const answered = answerOf(call);
  request.pipe(call);
  try {
    const answer = await answered;
    if (answer instanceof Error) throw answer;
    await passOn(bringing, answer);
  } finally {
    call.destroy();
    // What nobody has read of a body would stand before the next call on this connection, whosever that is.
    request.unpipe(call).resume();
  }
}

async function passOn(bringing: Bringing, answer: IncomingMessage): Promise<void> {
  const { request, response, mostBytes, room } = bringing;
  const status = answer.statusCode ?? 0;
  const headers = Object.fromEntries(Object.entries(endToEnd(answer.headers, [KEEPER.whole])).filter(([name]) => !name.startsWith('x-lictor-')));
  const marked = { ...headers, [KEEPER.whole]: '1' };
  if (!mayBeKept(answer.headers)) return stream(response, { status, headers }, answer);
  if (request.method === 'HEAD' || status === 204 || status === 304) return void response.writeHead(status, marked).end();
  const said = answer.headers['content-length'];
  if (said === undefined) return passOnHeld(bringing, answer, { status, headers });
  const length = Number(said);
  if (length > mostBytes || !room.take(length)) return stream(response, { status, headers }, answer);
  try {
    await stream(response, { status, headers: marked }, answer);
  } finally {
    room.give(length);
  }
}

/** Nor is one held that never ends by its kind, or that its service wants to be nobody's again. */
function mayBeKept(headers: IncomingHttpHeaders): boolean {
  const { 'content-type': type = '', 'cache-control': control = '', 'set-cookie': cookie } = headers;
  return cookie === undefined && !/no-store|no-cache|private/i.test(control) && !/^\s*(?:text\/event-stream|multipart\/)/i.test(type);
}

interface Head {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

async function passOnHeld({ response, mostBytes, patienceMs, room }: Bringing, answer: IncomingMessage, { status, headers }: Head): Promise<void> {
  const held = await hold(answer, { mostBytes, patienceMs, room });
  try {
    const marked = { ...headers, 'content-length': held.bytes, [KEEPER.whole]: '1' };
    if (held.whole) await stream(response, { status, headers: marked }, Readable.from(held.pieces));
    else await stream(response, { status, headers }, Readable.from(withRest(held, answer)));
  } finally {
    held.release();
  }
}

async function* withRest(held: Held, answer: IncomingMessage): AsyncGenerator<Buffer> {
  for (const piece of held.pieces.splice(0)) yield piece;
  held.release();
  yield* answer;
}

async function stream(response: ServerResponse, { status, headers }: Head, body: Readable): Promise<void> {
  response.writeHead(status, headers);
  response.flushHeaders();
  await pipeline(body, response);
}
