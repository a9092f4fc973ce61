import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionHold, createConnectionHold, type HoldLimits } from './connection-hold.ts';
import { waitFor } from './processes/wait-for.ts';

const LIMITS: HoldLimits = { connections: 3, holdMs: 60_000, readyMs: 20 };

let root: string;
let server: Server;
let hold: ConnectionHold;
const clients: Socket[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hold-'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  hold.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

async function listen(limits: Partial<HoldLimits> = {}): Promise<void> {
  hold = createConnectionHold({ ...LIMITS, ...limits });
  server = createServer((socket) => hold.take(socket));
  server.listen(join(root, 'hold.sock'));
  await once(server, 'listening');
}

async function arrive(bytes = 'GET / HTTP/1.1\r\n'): Promise<Socket> {
  const client = connect(join(root, 'hold.sock'));
  client.on('error', () => undefined);
  clients.push(client);
  await once(client, 'connect');
  client.write(bytes);
  return client;
}

/** Whatever it was that ended it. */
const closed = (client: Socket) => waitFor(() => client.closed, { what: 'the end of a connection' });

const heldAre = (count: number) => waitFor(() => hold.size() === count, { what: `${count} held connections` });

describe('the hold', () => {
  it('forgets a connection that its client has closed, at once and whatever it had sent', async () => {
    await listen();
    const [first] = [await arrive('x'.repeat(300_000)), await arrive()];
    await heldAre(2);
    first.destroy();
    await heldAre(1);
  });

  it('has a bound: one more is closed, and a place that comes free is taken', async () => {
    await listen();
    const first = await arrive();
    await Promise.all([arrive(), arrive()]);
    await heldAre(3);
    const refused = await arrive();
    await closed(refused);
    expect(hold.size()).toBe(3);
    first.destroy();
    await heldAre(2);
    const next = await arrive();
    await heldAre(3);
    expect(next.destroyed).toBe(false);
  });

  it('lets all go when the control plane is ready; one that comes then waits for a moment', async () => {
    await listen();
    const waiting = [await arrive(), await arrive()];
    await heldAre(2);
    hold.open();
    await Promise.all(waiting.map(closed));
    const late = await arrive();
    await closed(late);
    expect(hold.size()).toBe(0);
  });

  it('holds again when the control plane is away again', async () => {
    await listen({ readyMs: 0 });
    hold.open();
    hold.close();
    const client = await arrive();
    await heldAre(1);
    expect(client.destroyed).toBe(false);
  });

  it('ends after the longest time', async () => {
    await listen({ holdMs: 20 });
    await closed(await arrive());
    expect(hold.size()).toBe(0);
  });
});
