import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NO_POLICIES } from '../authorization/policy/own/check.ts';
import type { Config } from '../config/config.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import { openTestFile, type TestFile } from '../config/test-file.ts';
import { steadyClock, systemClock } from '../contract/clock.ts';
import { joinSockets } from '../contract/open-socket.ts';
import { openProcessServices, type ProcessServices } from './process-services.ts';
import { buildRuntime } from './runtime.ts';

let file: TestFile;
beforeEach(() => {
  file = openTestFile();
});
afterEach(() => file.remove());

/** A Prefect that takes connections and never answers. */
async function startSilentPrefect() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, sockets, close: () => server.close() };
}

async function closeAll(shared: ProcessServices): Promise<void> {
  for (const part of [shared.exports, shared.tracing, shared.ledgerSearch, shared.runPages, shared.bodies, shared.eventIntake, shared.ledger, shared.store])
    await part.close();
}

/** Resolves when the server has accepted every connection that began before this call: it accepts them in order. */
async function acceptedAll({ sockets, port }: Awaited<ReturnType<typeof startSilentPrefect>>): Promise<void> {
  const last = connect(port, '127.0.0.1');
  await once(last, 'connect');
  await vi.waitFor(() => expect([...sockets].map(({ remotePort }) => remotePort)).toContain(last.localPort));
  last.destroy();
}

it('closes its connections to Prefect when it cannot be built', async () => {
  const prefect = await startSilentPrefect();
  const loaded = file.accepted(
    `public_url: http://localhost:8200\nprefect: { servers: ["http://127.0.0.1:${prefect.port}", "http://localhost:${prefect.port}"] }\n`,
  );
  const tls = { certFile: '', keyFile: '', selfMadeBy: null, client: { caFile: '', crlFile: join(file.directory, 'no-lists.pem') } };
  const config: Config = { ...loaded, tls, identityProviders: [{ id: 'pki', type: 'mtls', principalFrom: 'san_uri' }] };
  const paths = prepareStateDir(join(file.directory, 'state'));
  const parts = {
    paths,
    clock: systemClock,
    steady: steadyClock,
    log: pino({ enabled: false }),
    sync: async () => undefined,
    sockets: joinSockets([]),
    applyDraft: () => Promise.reject(new Error('no draft')),
    configFile: 'lictor.yaml',
    running: () => ({ families: [], workers: [] }),
    isLeaving: () => false,
    beside: false,
    onReopen: () => undefined,
    onChange: () => undefined,
    deciding: () => ({ config, policies: null }),
    onNodes: async () => undefined,
    onUnusable: () => undefined,
  };
  const shared = await openProcessServices({ ...parts, config: { ...config, storeAt: paths.storeFile } });
  await expect(buildRuntime(shared, config, NO_POLICIES)).rejects.toMatchObject({ code: 'client-crl-unusable' });
  await acceptedAll(prefect);
  await vi.waitFor(() => expect(prefect.sockets.size).toBe(0));
  await closeAll(shared);
  prefect.close();
  removeRuntimeDir(paths);
});
