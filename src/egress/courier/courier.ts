// Calls whose credential depends on the call: nginx, which has decided them, hands them over here, and here they go to the server that it chose.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { Service } from '../../config/service.ts';
import type { Clock } from '../../contract/clock.ts';
import { COURIER } from '../../contract/names.ts';
import { endToEnd } from '../../sidecar/headers.ts';
import type { Repeats } from '../repeats.ts';
import { openAgent, type ServiceAgent } from './agent.ts';
import { createAwsSigner } from './aws-signer.ts';
import { type Destination, deliver } from './deliver.ts';
import { fail, refuse } from './refuse.ts';
import { type BodyRoom, createBodyRoom } from './room.ts';
import { type OutgoingCall, type Showing, type Shown, showingOf } from './showing.ts';

export interface Courier {
  /** Trusts who calls: the socket in front is nginx's alone, and behind its decision. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** For the gateway's own questions. Undefined: this service is not called by courier. */
  show(service: string, call: OutgoingCall): Promise<Shown | undefined>;
}

export interface CourierParts {
  readonly config: Pick<Config, 'services'>;
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly repeats: Pick<Repeats, 'take'>;
  /** Tests alone have another. */
  readonly mostHeldBytes?: number;
}

/** Of all bodies that are read whole: nginx lets one be 16 MiB. */
const MOST_HELD_BYTES = 128 << 20;

interface Carried {
  readonly service: Service;
  readonly showing: Showing;
  readonly agent: ServiceAgent;
}

export function createCourier({ config, clock, steady, log, repeats, mostHeldBytes = MOST_HELD_BYTES }: CourierParts): Courier {
  const carried = new Map<string, Carried>();
  for (const service of config.services) {
    const onTrouble = (what: string): void => log.warn({ service: service.name, what }, 'no AWS credentials for a service');
    const showing = showingOf(service, (sigv4) => createAwsSigner(sigv4, { clock, steady, onTrouble }));
    if (showing !== undefined) carried.set(service.name, { service, showing, agent: openAgent(service) });
  }
  const room = createBodyRoom(mostHeldBytes);
  return {
    handle(request, response) {
      const repeated = request.headers[COURIER.repeat];
      if (repeated !== undefined) return void response.writeHead(repeats.take(String(repeated)) ? 204 : 403).end();
      carry({ carried, room, log }, request, response).catch((error: unknown) => {
        log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a call of a service could not be carried');
        fail(response, 'broken');
      });
    },
    show: async (service, call) => await carried.get(service)?.showing.show(call),
  };
}

interface Carrying {
  readonly carried: ReadonlyMap<string, Carried>;
  readonly room: BodyRoom;
  readonly log: Pick<Logger, 'warn'>;
}

async function carry({ carried, room, log }: Carrying, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = carried.get(String(request.headers[COURIER.service]));
  const server = found?.service.servers.find(({ origin }) => origin === request.headers[COURIER.server]);
  // Around a reload nginx's workers still have the former configuration.
  if (found === undefined || server === undefined) return fail(response, 'unsent');
  const { service, showing, agent } = found;
  const destination: Destination = { service: service.name, origin: new URL(server.origin), agent, timeoutMs: service.timeoutSeconds * 1000 };
  const length = showing.readsBody ? Number(request.headers['content-length'] ?? 0) : 0;
  const caller = String(request.headers[COURIER.caller]);
  const requestId = String(request.headers[COURIER.requestId] ?? '');
  const taken = room.take(caller, length);
  if (taken !== 'taken') return refuseBody({ request, response, requestId, taken });
  try {
    const body = showing.readsBody ? await readBody(request, length) : null;
    const headers = { ...endToEnd(request.headers, OWN), host: destination.origin.host };
    const shown = await showing.show({ method: request.method ?? 'GET', target: request.url ?? '/', headers, body });
    if (!shown.ok) return refuse(response, shown.reason, requestId);
    await deliver({ request, response, destination, shown, body, clean: showing.clean, log });
  } finally {
    room.give(caller, length);
  }
}

interface Refused {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly taken: 'share' | 'full';
}

/** An answer of its own, not a failure: the server has no part in it, and stays in for everybody. The body is read and thrown away, so that nginx hears it. */
async function refuseBody({ request, response, requestId, taken }: Refused): Promise<void> {
  for await (const _piece of request);
  refuse(response, taken === 'share' ? 'rate-limited' : 'service-unavailable', requestId);
}

/** Between nginx and here, or set anew. */
const OWN: readonly string[] = ['host', 'expect', ...Object.values(COURIER), 'x-lictor-repeatable'];

/** nginx has it whole, and says how long it is. Rejects when nginx goes away. */
async function readBody(request: IncomingMessage, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  if (body.length !== length) throw new Error('a body of another length');
  return body;
}
