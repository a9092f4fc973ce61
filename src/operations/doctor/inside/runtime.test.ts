import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bareService } from '../../../config/service.fixture.ts';
import { checkCacheMode, checkUnixSockets } from './runtime.ts';
import { openTestState, type TestState } from './state.fixture.ts';

const PROXIED = [bareService('keyed', [], { retries: { attempts: 1, budget: null } })];
const STRANGER = { name: 'stranger', uid: 54_321, gid: 54_321 };

describe('the runtime directory', () => {
  let state: TestState;
  let servers: Server[];
  beforeEach(async () => {
    state = openTestState();
    const { decisionSocket, controlSocket, proxySocket, relaySocket, anonymousSocket, holdSocket, adminSocket } = state.paths;
    servers = [];
    for (const path of [decisionSocket, controlSocket, proxySocket, relaySocket, anonymousSocket, holdSocket, adminSocket]) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(path, resolve));
      chmodSync(path, 0o600);
      servers.push(server);
    }
  });
  afterEach(async () => {
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    state.remove();
  });

  it('has its seven sockets', () => {
    expect(checkUnixSockets(state.paths, null, PROXIED)).toMatchObject([{ status: 'ok', message: expect.stringContaining('7 sockets') }]);
  });

  it('has no socket of the service proxy where no service needs it, and has one where a service does', () => {
    rmSync(state.paths.proxySocket);
    expect(checkUnixSockets(state.paths, null, [bareService('docs', [])])).toMatchObject([{ status: 'ok', message: expect.stringContaining('6 sockets') }]);
    expect(checkUnixSockets(state.paths, null, PROXIED)).toMatchObject([{ status: 'fail', message: expect.stringMatching(/proxy\.sock is missing/) }]);
  });

  it('names one that is missing, no socket, open to others, or of another user', () => {
    chmodSync(state.paths.relaySocket, 0o666);
    expect(checkUnixSockets(state.paths, null, [])).toMatchObject([{ status: 'fail', message: expect.stringMatching(/relay\.sock has mode 666/) }]);
    chmodSync(state.paths.relaySocket, 0o600);
    expect(checkUnixSockets(state.paths, STRANGER, PROXIED)).toHaveLength(6);
    rmSync(state.paths.adminSocket);
    expect(checkUnixSockets(state.paths, null, [])).toMatchObject([{ status: 'fail', message: expect.stringMatching(/admin\.sock is missing/) }]);
    state.write(state.paths.adminSocket, '');
    expect(checkUnixSockets(state.paths, null, [])).toMatchObject([{ status: 'fail', message: expect.stringMatching(/not a socket/) }]);
  });

  it('requires that only nginx can read the decision cache', () => {
    const dir = state.paths.decisionCache;
    expect(checkCacheMode(dir, null)).toMatchObject({ status: 'fail', message: expect.stringContaining('missing') });
    mkdirSync(dir, { mode: 0o700 });
    expect(checkCacheMode(dir, null)).toMatchObject({ status: 'ok' });
    expect(checkCacheMode(dir, STRANGER)).toMatchObject({ status: 'fail', message: expect.stringContaining('belongs to') });
    chmodSync(dir, 0o755);
    expect(checkCacheMode(dir, null)).toMatchObject({ status: 'fail', message: expect.stringContaining('755') });
  });
});
