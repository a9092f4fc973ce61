// The answer of a service to a handshake: what is no exact answer opens nothing.
import { once } from 'node:events';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Dialled, dialService } from './dial.ts';
import { acceptFor } from './handshake.ts';

let server: Server;
/** The lines of the answer's head, by the key that was asked with. */
let answer: (key: string) => readonly string[];
beforeEach(async () => {
  server = createServer();
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write(`${answer(String(request.headers['sec-websocket-key'])).join('\r\n')}\r\n\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
});

async function dialled(lines: (key: string) => readonly string[]): Promise<Dialled> {
  answer = lines;
  const { port } = server.address() as AddressInfo;
  const result = await dialService({
    origin: new URL(`http://127.0.0.1:${port}`),
    agent: new Agent({ keepAlive: false }),
    target: '/feed',
    headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-protocol': 'a, b' },
    host: 'service.example',
    protocols: ['a', 'b'],
    connectMs: 30_000,
    headBytes: 16_384,
    signal: new AbortController().signal,
  });
  if (result.kind === 'open') result.socket.destroy();
  return result;
}

const SWITCH = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
const accept = (key: string): string => `Sec-WebSocket-Accept: ${acceptFor(key)}`;

describe('the answer of a service', () => {
  it.each([
    ['no protocol', [], undefined],
    ['a protocol that was asked for', ['Sec-WebSocket-Protocol: b'], 'b'],
  ] as const)('opens the socket with %s', async (_, more, protocol) => {
    expect(await dialled((key) => [...SWITCH, accept(key), ...more])).toMatchObject({ kind: 'open', protocol });
  });

  it.each([
    ['is for another key', () => [...SWITCH, accept('dGhlIHNhbXBsZSBub25jZQ==')]],
    ['accepts no key', () => SWITCH],
    ['has an extension, which was not offered', (key: string) => [...SWITCH, accept(key), 'Sec-WebSocket-Extensions: permessage-deflate']],
    ['has a protocol that was not asked for', (key: string) => [...SWITCH, accept(key), 'Sec-WebSocket-Protocol: c']],
    ['has two protocols', (key: string) => [...SWITCH, accept(key), 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b']],
    ['switches to something else', (key: string) => ['HTTP/1.1 101 x', 'Upgrade: h2c', 'Connection: Upgrade', accept(key)]],
  ] as const)('opens nothing where it %s', async (_, lines) => {
    expect(await dialled(lines)).toEqual({ kind: 'refused', status: 101 });
  });
});
