// A worker under `lictor exec` by client credentials of a real Keycloak, which is away for a while: the flow runs to Completed all the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type Keycloak, MACHINE, sharedKeycloak } from '../env/keycloak.ts';
import { field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { expectTaskRuns, openSession, preparePool, startRun, startWorker } from './stock/session.ts';

export interface ExpiryForm {
  /** How long one access token lives. */
  readonly tokenSeconds: number;
  readonly outageMs: number;
  readonly tasks: number;
  readonly secondsPerTask: number;
}

export interface ExpiryRoom {
  readonly gateway: Gateway;
  readonly keycloak: Keycloak;
  readonly directory: string;
  close(): Promise<void>;
}

export async function openExpiryRoom(tokenSeconds: number): Promise<ExpiryRoom> {
  const keycloak = await sharedKeycloak();
  await setLifetime(keycloak, tokenSeconds);
  const gateway = await startGateway({
    upstream: sharedPrefect(),
    config: {
      identity_providers: [{ id: 'kc', type: 'jwt', issuer: keycloak.issuer, audience: 'lictor', require: { azp: MACHINE.id } }],
      roles: ['deployer', 'worker'].map((role) => ({ role, members: [`claim:azp=${MACHINE.id}@kc`] })),
    },
  });
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-expiry-'));
  writeFileSync(join(directory, 'client-secret'), `${MACHINE.secret}\n`, { mode: 0o600 });
  return {
    gateway,
    keycloak,
    directory,
    async close() {
      // Other files of this run use the same Keycloak.
      await keycloak.start();
      await setLifetime(keycloak, 60);
      await gateway.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function setLifetime(keycloak: Keycloak, seconds: number): Promise<void> {
  const [client] = list(await keycloak.admin('GET', `/clients?clientId=${MACHINE.id}`));
  await keycloak.admin('PUT', `/clients/${text(field(client, 'id'))}`, { clientId: MACHINE.id, attributes: { 'access.token.lifespan': String(seconds) } });
}

/** Every task run arrives, the worker lives, and nobody was refused but sockets whose token had ended. */
export async function runThroughOutage({ gateway, keycloak, directory }: ExpiryRoom, { outageMs, tasks, secondsPerTask }: ExpiryForm): Promise<void> {
  const prefect = sharedPrefect();
  const exec = ['--as', 'oidc', '--issuer', keycloak.issuer, '--client-id', MACHINE.id, '--client-secret-file', join(directory, 'client-secret')];
  const session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'none', token: '' }, exec }, 'expiry');
  try {
    await preparePool(session, 'steady');
    const worker = await startWorker(session);
    const id = await startRun(session, `steady/${session.pool}`, `count=${tasks}`, `seconds=${secondsPerTask}`);
    await session.server.awaitRunState(id, ['RUNNING']);
    const completed = async (): Promise<number> => (await session.server.taskRunStates(id))['COMPLETED'] ?? 0;
    await waitFor(async () => (await completed()) >= 3, { what: 'the first tasks', timeoutMs: 90_000, everyMs: 1000 });
    await keycloak.stop();
    // An outage is a length of time: what is true after it does not hang on how long it took exactly.
    await wait(outageMs);
    expect(['RUNNING', 'COMPLETED']).toContain(await session.server.runState(id));
    const before = await channels(gateway, session.pool);
    await keycloak.start();
    expect(await session.server.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED'], tasks * secondsPerTask * 1000 + 240_000)).toBe('COMPLETED');
    await expectTaskRuns(session, id, tasks);
    expect(worker.running(), worker.output()).toBe(true);
    // A run has a separate token, so it may end before its worker asks the provider again.
    await waitFor(() => worker.output().includes('is back: the credential is renewed'), {
      what: 'the worker to say that its provider is back',
      timeoutMs: 60_000,
    });
    // While the provider was away the worker sent its heartbeats by request; its channel comes back by itself.
    await waitFor(async () => (await channels(gateway, session.pool)) > before, {
      what: 'the worker to have its channel back',
      timeoutMs: 180_000,
      everyMs: 3000,
    });
    const refused = (await records(gateway)).filter(({ decision }) => decision === 'deny').map(({ reason, path_taken }) => `${reason} ${path_taken}`);
    expect(new Set(refused)).toEqual(new Set(['credential-expired relay']));
    worker.signal('SIGTERM');
    await waitFor(() => !worker.running(), { what: 'the worker to end', timeoutMs: 60_000 });
  } finally {
    await session.client.stop();
  }
}

async function records(gateway: Gateway): Promise<readonly Record<string, unknown>[]> {
  return jsonLines(await gateway.lictorOk('audit', '--json'));
}

/** The number of opened worker channels. The data of a worker's first frame are a separate record. */
async function channels(gateway: Gateway, pool: string): Promise<number> {
  const path = `/api/work_pools/${pool}/workers/connect`;
  return (await records(gateway)).filter((record) => record['path'] === path && record['status'] === 101 && record['resource_type'] !== 'Worker').length;
}
