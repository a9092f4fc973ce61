// A stock worker with a separate pool and deployment, which a test can start again with other settings.
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clientEnv } from '../client.ts';
import { forkedPrefect } from '../commands/prefect-host.ts';
import type { Direct } from '../prefect.ts';
import { field, text } from '../prefect.ts';
import { type Running, start, waitFor } from '../process.ts';

/** The two variables that say where Prefect is, and by what right. */
export interface WayToPrefect {
  readonly PREFECT_API_URL: string;
  readonly PREFECT_API_AUTH_STRING: string;
}

export interface Worker {
  readonly name: string;
  readonly pool: string;
  /** Starts it, after ending the one before; resolves when it has said that it started. */
  start(way: WayToPrefect): Promise<void>;
  running(): boolean;
  output(): string;
  stop(): Promise<void>;
}

export function stockWorker(venv: string, name: string): Worker {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-worker-'));
  const pool = `pool-${name}`;
  const base = clientEnv({ venv, url: '', credential: { carrier: 'none', token: '' } }, home);
  let running: Running | undefined;
  const stop = async (): Promise<void> => {
    // Without a Prefect a stock worker outlives SIGTERM: then it is killed.
    await running?.stop({ graceMs: 10_000 });
    running = undefined;
  };
  return {
    name,
    pool,
    async start(way) {
      await stop();
      const args = ['worker', 'start', '--pool', pool, '--name', name, '--type', 'process'];
      const env = { ...base, ...way };
      const worker = await start({ name: `worker ${name}`, command: join(venv, 'bin', 'prefect'), args, env, cwd: home }, await forkedPrefect(venv, env));
      running = worker;
      await waitFor(() => worker.output().includes('started!') || !worker.running(), { what: `worker ${name} to start`, timeoutMs: 90_000 });
      if (!worker.running()) throw new Error(`worker ${name} ended: ${worker.output()}`);
    },
    running: () => running?.running() === true,
    output: () => running?.output() ?? '',
    stop,
  };
}

/** Deploys a flow of test/env/flows/stock.py into a worker's pool, by the API; answers the deployment's id. */
export async function deployTo(worker: Worker, direct: Direct, flow: string): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), 'lictor-test-project-'));
  cpSync(resolve(import.meta.dirname, '../flows'), project, { recursive: true });
  const flowId = text(field(await direct.post('/flows/', { name: flow }), 'id'));
  const deployment = { name: worker.name, flow_id: flowId, work_pool_name: worker.pool, entrypoint: `stock.py:${flow}`, path: project };
  return text(field(await direct.post('/deployments/', deployment), 'id'));
}
