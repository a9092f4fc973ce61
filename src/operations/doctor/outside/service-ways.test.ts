import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareService } from '../../../config/service.fixture.ts';
import { answer, answering, REFUSED } from './answers.fixture.ts';
import { checkServiceWays } from './service-ways.ts';

let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer();
  // Here 127.0.0.2 plays another address of the machine.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const at = (url: string, more = {}) => ({ services: [bareService('billing', [], { servers: [{ origin: url, weight: 1, backup: false }], ...more })] });
const probe = answering(REFUSED);

describe('ways past the gateway to a service', () => {
  it('are other addresses of this machine on which its port answers', async () => {
    expect(await checkServiceWays(at(origin), { addresses: ['127.0.0.3', '127.0.0.2'], probe })).toMatchObject([
      { status: 'warn', message: expect.stringMatching(/^the service billing at \S+ also accepts connections at 127\.0\.0\.2:\d+/) },
    ]);
    expect(await checkServiceWays(at(origin), { addresses: ['127.0.0.3'], probe })).toEqual([]);
    expect(await checkServiceWays(at(origin.replace('127.0.0.1', '192.0.2.1')), { addresses: ['127.0.0.2'], probe })).toEqual([]);
  });

  it('is a server that answers its health check without a client certificate', async () => {
    const looked = {
      certificate: { certFile: 'c.pem', keyFile: 'k.pem' },
      health: { path: '/health', intervalMs: 1000, unhealthyAfter: 2, healthyAfter: 2 },
    };
    const look = (more: object, status: number) =>
      checkServiceWays(at('https://192.0.2.1', more), {
        addresses: [],
        probe: answering(({ url }) => (url.endsWith('/health') ? answer(status, {}) : REFUSED)),
      });
    expect(await look(looked, 200)).toMatchObject([{ status: 'warn', message: expect.stringContaining("without the gateway's certificate") }]);
    expect(await look(looked, 400)).toEqual([]);
    expect(await look({ ...looked, certificate: null }, 200)).toEqual([]);
    expect(await look({ ...looked, health: null }, 200)).toEqual([]);
  });
});
