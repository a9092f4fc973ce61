import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../../../test/env/authority.ts';
import { freePort } from '../../../../test/env/free-port.ts';
import { bareService } from '../../../config/service.fixture.ts';
import type { Service } from '../../../config/service.ts';
import { checkServices } from './services.ts';

let authority: Authority;
let servers: readonly Server[];
let [plain, secure, closed] = [0, 0, 0];

beforeAll(async () => {
  authority = createAuthority();
  const { chain, key } = authority.issue({ names: ['localhost'], days: 5 });
  servers = [createServer(), createSecureServer({ cert: readFileSync(chain), key: readFileSync(key) })];
  const ports = servers.map(async (server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  });
  [plain = 0, secure = 0, closed = 0] = await Promise.all([...ports, freePort()]);
});
afterAll(() => {
  for (const server of servers) server.close();
  authority.remove();
});

function service(origins: readonly string[], caFile: string | null = null): Service {
  return bareService('billing', [], { caFile, servers: origins.map((origin) => ({ origin, weight: 1, backup: false })) });
}
const look = async (one: Service) => (await checkServices({ services: [one] }))[0];

describe('doctor, about services', () => {
  it('says nothing where there are none, and ok where all take connections', async () => {
    expect(await checkServices({ services: [] })).toEqual([]);
    expect(await look(service([`http://127.0.0.1:${plain}`]))).toMatchObject({ status: 'ok', message: expect.stringContaining('1 of 1') });
    expect(await look(service([`https://localhost:${secure}`], authority.root))).toMatchObject({ status: 'ok' });
  });

  it('names a server that is away, and one with an untrusted certificate', async () => {
    const one = await look(service([`http://127.0.0.1:${plain}`, `http://127.0.0.1:${closed}`]));
    expect(one).toMatchObject({ status: 'warn', message: expect.stringContaining(`http://127.0.0.1:${closed} (ECONNREFUSED)`) });
    expect(await look(service([`http://127.0.0.1:${closed}`]))).toMatchObject({ status: 'fail', message: expect.stringContaining('callers get 503') });
    expect(await look(service([`https://localhost:${secure}`]))).toMatchObject({ status: 'fail', message: expect.stringMatching(/CERT|SELF_SIGNED|UNABLE/) });
    expect(await look(service([`https://127.0.0.1:${secure}`], authority.root))).toMatchObject({ status: 'fail', message: expect.stringContaining('ALTNAME') });
  });
});
