import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { joinTunnel } from './join.ts';

let server: Server;
let accepted: Socket[];
let closed: number[];
beforeEach(async () => {
  [accepted, closed] = [[], []];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Two ends far from each other; `near` is this side of each. */
async function pair(): Promise<{ readonly far: Socket; readonly near: Socket }> {
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  const before = accepted.length;
  await expect.poll(() => accepted.length).toBeGreaterThan(before);
  const near = accepted.at(-1);
  if (near === undefined) throw new Error('no connection arrived');
  return { far, near };
}

async function joined(more: Partial<Parameters<typeof joinTunnel>[0]> = {}) {
  const [client, upstream] = [await pair(), await pair()];
  // A tunnel may close after its test.
  const own = closed;
  const ends = { client: client.near, upstream: upstream.near, fromClient: Buffer.alloc(0), idleMs: 60_000, onIdle: () => undefined };
  joinTunnel({ ...ends, onClosed: (bytes) => void own.push(bytes), ...more });
  return { client: client.far, upstream: upstream.far };
}

const textOf = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.once('end', () => resolve(text));
  });

describe('a tunnel', () => {
  it('forwards earlier data first, then both directions, also half closed, and counts the bytes', async () => {
    const { client, upstream } = await joined({ fromClient: Buffer.from('early '), fromUpstream: Buffer.from('first ') });
    const [atClient, atUpstream] = [textOf(client), textOf(upstream)];
    client.end('asked');
    expect(await atUpstream).toBe('early asked');
    upstream.end('answered');
    expect(await atClient).toBe('first answered');
    client.destroy();
    await expect.poll(() => closed).toEqual(['early asked'.length + 'first answered'.length]);
  });

  it('ends both sides if one of them is gone', async () => {
    const { client, upstream } = await joined();
    const atUpstream = textOf(upstream);
    client.resetAndDestroy();
    await atUpstream;
    await expect.poll(() => closed).toEqual([0]);
  });

  it('reports silence in both directions', async () => {
    const idle = vi.fn();
    await joined({ idleMs: 50, onIdle: idle });
    await vi.waitFor(() => expect(idle).toHaveBeenCalledOnce(), { timeout: 10_000 });
  });

  it('does not read from one end what the other does not accept: 64 MiB pass a slow reader completely', async () => {
    const { client, upstream } = await joined();
    const piece = Buffer.alloc(64 * 1024, 'lictor');
    const [pieces, most] = [1024, 40 * 1024 * 1024];
    const [sent, heard] = [createHash('sha256'), createHash('sha256')];
    let [given, taken, ahead] = [0, 0, 0];
    const give = (): void => {
      while (given < pieces * piece.length) {
        given += piece.length;
        sent.update(piece);
        if (!upstream.write(piece)) return void upstream.once('drain', give);
      }
      upstream.end();
    };
    give();
    for await (const chunk of client) {
      heard.update(chunk);
      taken += chunk.length;
      ahead = Math.max(ahead, given - taken);
      // Others come first: the sender could run ahead as far as it is let.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBe(pieces * piece.length);
    expect(heard.digest('hex')).toBe(sent.digest('hex'));
    expect(ahead).toBeLessThan(most);
    client.destroy();
  });
});
