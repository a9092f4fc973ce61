import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import { type Feed, startFeed } from './feed.ts';
import { createIntake, type Intake } from './intake.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const uuid = (number: number): string => `0199c0de-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** One of Prefect's servers: streams the given events, and has no event in its database. */
interface FakeServer {
  readonly url: string;
  readonly server: Server;
  readonly frames: string[];
  readonly agents: (string | undefined)[];
  readonly open: Set<WebSocket>;
  accepts: boolean;
  send(number: number): void;
}

async function startFake(): Promise<FakeServer> {
  const frames: string[] = [];
  const agents: (string | undefined)[] = [];
  const open = new Set<WebSocket>();
  const server = createServer((request, response) => {
    agents.push(request.headers['user-agent']);
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"events":[],"total":0,"next_page":null}'));
  });
  const sockets = new WebSocketServer({ server, path: '/api/events/out', handleProtocols: () => 'prefect' });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      frames.push(String(data));
      if (!String(data).includes('"auth"')) return void open.add(socket);
      if (fake.accepts) socket.send('{"type":"auth_success"}');
      else socket.close(1008, 'Auth required but no token provided');
    });
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const fake: FakeServer = {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    ...{ server, frames, agents, open, accepts: true },
    send(number) {
      const resource = { 'prefect.resource.id': `prefect.flow-run.${RUN}` };
      const event = { id: uuid(number), occurred: new Date().toISOString(), event: 'prefect.flow-run.Running', resource, related: [], payload: {} };
      for (const socket of open) {
        socket.send('no json');
        socket.send(JSON.stringify({ type: 'event', event }));
      }
    },
  };
  return fake;
}

describe('the streams of several servers', () => {
  let servers: FakeServer[];
  let stored: PrefectEvent[];
  let intake: Intake;
  let feed: Feed;
  beforeEach(async () => {
    servers = [await startFake(), await startFake()];
    stored = [];
    const ledger = { storeEvents: async ({ events }: { readonly events: readonly PrefectEvent[] }) => void stored.push(...events) };
    intake = createIntake({ ledger, clock: Date.now, steady: () => performance.now(), mark: undefined, flushMs: 5 });
    const prefect = { servers: servers.map(({ url }) => url), authString: 'gateway:secret', publicUrl: null };
    const openCounts = () => ({ count: () => 0, beganMs: () => undefined, close: () => undefined });
    feed = startFeed({ intake, prefect, openCounts, clock: Date.now, log: { warn: () => undefined, info: () => undefined }, roundMs: 50 });
  });
  afterEach(async () => {
    await feed.stop();
    await intake.close();
    for (const { server, open } of servers) {
      for (const socket of open) socket.terminate();
      server.closeAllConnections();
      server.close();
    }
  });
  const one = (index: number): FakeServer => servers[index] as FakeServer;
  const ids = () => stored.map(({ id }) => id);
  const allOpen = () => expect.poll(() => servers.map(({ open }) => open.size), { timeout: 10_000 }).toEqual([1, 1]);

  it('have a subscription each, with an end in the future, and an event of both arrives once', async () => {
    await allOpen();
    one(0).send(1);
    one(1).send(2);
    for (const server of servers) server.send(3);
    await expect.poll(() => ids().sort()).toEqual([uuid(1), uuid(2), uuid(3)]);
    expect(intake.status()).toMatchObject({ streams: 2, servers: 2, problem: null });
    for (const { frames } of servers) {
      const [auth, filter] = frames.map((frame) => JSON.parse(frame));
      expect(auth).toEqual({ type: 'auth', token: 'gateway:secret' });
      expect(Date.parse(filter.filter.occurred.until)).toBeGreaterThan(Date.now() + 86_400_000);
    }
    expect([...new Set(servers.flatMap(({ agents }) => agents))]).toEqual(['lictor-events']);
  });

  it('are opened again when they end, however that was', async () => {
    await allOpen();
    for (const socket of one(0).open) socket.close(1000);
    for (const socket of one(1).open) socket.terminate();
    await expect.poll(() => servers.map(({ frames }) => frames.length), { timeout: 10_000 }).toEqual([4, 4]);
    one(1).send(5);
    await expect.poll(ids).toEqual([uuid(5)]);
  });

  it('are counted: a rejected one is missing, and the other one continues', async () => {
    await allOpen();
    one(0).accepts = false;
    for (const socket of one(0).open) socket.close(1012);
    await expect.poll(() => intake.status().streams).toBe(1);
    one(1).send(6);
    await expect.poll(ids).toEqual([uuid(6)]);
  });

  it('end with the feed, and open no more', async () => {
    await allOpen();
    await feed.stop();
    await expect.poll(() => servers.map(({ open }) => open.size)).toEqual([0, 0]);
    expect(servers.map(({ frames }) => frames.length)).toEqual([2, 2]);
  });
});
