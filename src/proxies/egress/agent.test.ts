import { once } from 'node:events';
import { createServer, get } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, it, vi } from 'vitest';
import { certificateHosts } from '../../config/certificates/hosts.ts';
import { makeAuthority, makeServerCertificate } from '../../config/certificates/make.ts';
import { bareService } from '../../config/service.fixture.ts';
import { openAgent } from './agent.ts';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it.each([
  [true, 'ok'],
  [false, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
])('a service without ca_file is believed by the authorities of the system: its own among them: %s', async (isListed, wanted) => {
  const hosts = certificateHosts({ hostname: 'localhost' });
  const authority = await makeAuthority(hosts, Date.now());
  const { certificate: cert, key } = await makeServerCertificate(authority, hosts, Date.now());
  vi.spyOn(tls, 'getCACertificates').mockImplementation((kind) => (kind === 'system' && isListed ? [authority.certificate] : []));
  syncBuiltinESMExports();
  const server = createServer({ cert, key }, (_request, response) => void response.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const agent = openAgent(bareService('billing', [], { servers: [{ origin, weight: 1, backup: false }] }));
  const seen = await once(get(origin, { agent }), 'response').then(
    () => 'ok',
    ({ code }) => code,
  );
  server.closeAllConnections();
  server.close();
  expect(seen).toBe(wanted);
});
