import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import { COURIER } from '../../contract/names.ts';
import { createCourier } from './courier.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function portOfNobody(): Promise<number> {
  const server = createTcpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** One connection, as nginx keeps it for the calls of everybody. */
async function openConnection(port: number) {
  const origin = `http://127.0.0.1:${port}`;
  const servers = [{ origin, weight: 1, backup: false }];
  const service = bareService('billing', [], { servers, injected: { query: { name: 'key', value: 'SECRET-12345' } }, timeoutSeconds: 20 });
  const log = { warn: () => undefined };
  const courier = createCourier({ config: { services: [service] }, clock: Date.now, steady: () => 0, log, repeats: { take: () => false } });
  const directory = mkdtempSync(join(tmpdir(), 'lictor-courier-'));
  const socketPath = join(directory, 'courier.sock');
  const server = createServer((incoming, outgoing) => courier.handle(incoming, outgoing));
  await once(server.listen(socketPath), 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  opened.push({ close: () => agent.destroy() }, { close: () => server.close() }, { close: () => rmSync(directory, { recursive: true, force: true }) });
  let last: IncomingHttpHeaders = {};
  const ask = async (method: string, framing: OutgoingHttpHeaders, body: Buffer): Promise<number | undefined> => {
    const headers = { [COURIER.service]: 'billing', [COURIER.server]: origin, ...framing };
    const call = request({ socketPath, agent, method, path: '/v1', headers });
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    await answer.resume().toArray();
    last = answer.headers;
    return answer.statusCode;
  };
  return Object.assign(ask, { headers: () => last });
}

describe('a connection of nginx’s', () => {
  // Within what the system takes for us before it is read: nginx takes such a body for delivered, and keeps the connection.
  it.each([200_000, 400_000])('is free for the next call, whosever that is, where nobody has read a body: %d bytes', async (bytes) => {
    const call = await openConnection(await portOfNobody());
    for (const length of [bytes, 10]) expect(await call('POST', { 'content-length': length }, Buffer.alloc(length))).toBe(502);
  });
});

it.each([
  ['server', { [COURIER.server]: 'http://127.0.0.1:1' }],
  ['service', { [COURIER.service]: 'another' }],
])('a call of a %s that the configuration does not have goes nowhere, and nginx may ask another', async (_, headers) => {
  const call = await openConnection(await portOfNobody());
  expect(await call('GET', headers, Buffer.alloc(0))).toBe(502);
  expect(call.headers()[COURIER.unsent]).toBe('1');
});

describe('a body that streams', () => {
  it.each(['GET', 'DELETE', 'POST'])('is a body to the server, where it says no length and whatever the method: %s', async (method) => {
    const seen: string[] = [];
    const server = createServer(async (incoming, outgoing) => {
      seen.push(`${incoming.method} ${String(await incoming.toArray())}`);
      outgoing.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    opened.push({ close: () => server.close() });
    const call = await openConnection((server.address() as AddressInfo).port);
    expect(await call(method, { 'transfer-encoding': 'chunked' }, Buffer.from('hello'))).toBe(200);
    expect(seen).toEqual([`${method} hello`]);
  });
});

it('an answer of a service carries no word of the gateway; twin: its other headers pass', async () => {
  const server = createServer((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'x-lictor-facts': 'a', 'X-Lictor-Anything': 'b', [COURIER.code]: 'c', [COURIER.unsent]: 'd', 'x-own': 'e' }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  opened.push({ close: () => server.close() });
  const call = await openConnection((server.address() as AddressInfo).port);
  expect(await call('GET', {}, Buffer.alloc(0))).toBe(200);
  const names = Object.keys(call.headers());
  expect(names).toContain('x-own');
  expect(names.filter((name) => name.startsWith('x-lictor-') || name === COURIER.code || name === COURIER.unsent)).toEqual([]);
});
