// A foreign host, and handwritten requests, for the tests of the forward proxy.
import { createServer, type Socket } from 'node:net';
import { expect, vi } from 'vitest';
import { CREDENTIAL, startWorld, type World } from './proxy.fixture.ts';

export interface Host {
  readonly port: number;
  /** Of each connection, in order. */
  readonly received: string[];
  /** Handles received data. */
  answer: (socket: Socket, text: string) => void;
  close(): void;
}

/** It echoes, and stays half open as long as its client does. */
export async function startHost(): Promise<Host> {
  const received: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const at = received.push('') - 1;
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      received[at] += chunk.toString('latin1');
      host.answer(socket, chunk.toString('latin1'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const host: Host = {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    received,
    answer: (socket, text) => void socket.write(`echo ${text}`),
    close: () => void server.close(),
  };
  return host;
}

export async function startWorldBefore(host: Host, limits: Parameters<typeof startWorld>[0] = {}): Promise<World> {
  const world = await startWorld(limits);
  world.server = host.port;
  return world;
}

export const AUTH = `Proxy-Authorization: ${CREDENTIAL}\r\n`;
export const connectTo = (target: string, more = AUTH) => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${more}\r\n`;
export const get = (target: string, more = AUTH, method = 'GET') => `${method} ${target} HTTP/1.1\r\nHost: x.test\r\n${more}\r\n`;
export const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
export const codeOf = (text: string): unknown => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).code;

/** Resolves when there are this many records. */
export async function recorded(world: World, count: number): Promise<void> {
  await vi.waitFor(() => expect(world.records).toHaveLength(count), { timeout: 10_000 });
}
