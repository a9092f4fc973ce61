// A private authority and a proxy with CONNECT: requests and sockets use the same way.
import { readFileSync } from 'node:fs';
import { createServer as createProxy, type Server } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Authority, createAuthority } from '../../../test/env/authority.ts';
import { authFrame, openSocket } from '../../../test/env/socket.ts';
import { askRaw } from './gateway.fixture.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';
import { createTransport, type Transport } from './transport.ts';

let authority: Authority;
let gateway: Server;
let proxy: Server;
let target: number;
let tunnels: string[];
let sidecar: Sidecar;
let transport: Transport;

beforeAll(async () => {
  authority = createAuthority();
  const { chain, key } = authority.issue({ names: ['gateway.example'], days: 2 });
  const webSockets = new WebSocketServer({ noServer: true });
  gateway = createServer({ cert: readFileSync(chain), key: readFileSync(key) }, (_request, response) => void response.end('{}')).on(
    'upgrade',
    (request, raw, head) => webSockets.handleUpgrade(request, raw, head, (socket) => socket.on('message', () => socket.send('{"type":"auth_success"}'))),
  );
  await listen(gateway);
  target = (gateway.address() as AddressInfo).port;
});
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
  authority.remove();
});
afterEach(async () => {
  await sidecar.close();
  transport.close();
  proxy.closeAllConnections();
  proxy.close();
});

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
}

/** Resolves names in its own network: every name leads to the gateway. */
function createTunnels(): Server {
  const opened: string[] = [];
  tunnels = opened;
  return createProxy().on('connect', (request, client) => {
    opened.push(request.url ?? '');
    const onward = connect(target, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
  });
}

async function open(authorities: readonly string[], env: Record<string, string> = {}): Promise<void> {
  proxy = createTunnels();
  await listen(proxy);
  transport = createTransport({ authorities, env: { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, ...env } });
  const refresher = { current: async () => 'c1', replace: async () => ({ kind: 'same' as const }) };
  const address = { origin: `https://gateway.example:${target}`, hostname: 'gateway.example', basePath: '' };
  sidecar = await startSidecar({ gateway: address, refresher, transport, say: () => undefined });
}

const header = () => ({ authorization: `Bearer ${sidecar.secret}` });
const ask = () => askRaw(sidecar.url, { headers: header() });
const root = () => readFileSync(authority.root, 'utf8');

it('goes through the proxy, and trusts the named authority', async () => {
  await open([root()]);
  const socket = openSocket(sidecar.url, '/api/events/in', { headers: header(), first: authFrame(null) });
  await expect.poll(() => socket.frames()).toEqual(['{"type":"auth_success"}']);
  expect(tunnels).toEqual([`gateway.example:${target}`]);
  expect((await ask()).status).toBe(200);
  expect(tunnels).toEqual([`gateway.example:${target}`, `gateway.example:${target}`]);
  socket.close();
  await socket.ended;
});

it('trusts no other authority: sends nothing and opens no socket', async () => {
  const other = createAuthority();
  await open([readFileSync(other.root, 'utf8')]);
  other.remove();
  expect(await ask()).toMatchObject({ status: 503, headers: { 'prefect-maintenance': 'true' } });
  const socket = openSocket(sidecar.url, '/api/events/in', { headers: header(), first: authFrame(null) });
  await vi.waitFor(() => expect(tunnels.length).toBeGreaterThan(2), { timeout: 20_000 });
  // The greeting is the sidecar's own: behind it the client is held.
  expect(socket.frames().filter((frame) => !frame.includes('auth_success'))).toEqual([]);
  socket.close();
  await socket.ended;
});

it.each([{ NO_PROXY: 'gateway.example' }, { no_proxy: '.example' }, { NO_PROXY: '*' }])(
  'bypasses the proxy with %o, where the name is unknown',
  async (env) => {
    await open([root()], env);
    expect((await ask()).status).toBe(503);
    expect(tunnels).toEqual([]);
  },
);
