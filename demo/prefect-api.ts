// What the demo asks of Prefect's API, always through the gateway: a pool, a deployment, a run as a person.
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LictorError } from '../src/contract/error.ts';

const FLOWS_DIR = dirname(fileURLToPath(new URL('./flows.py', import.meta.url)));

const WithId = z.object({ id: z.string() });
const FlowRun = z.object({ id: z.string(), name: z.string(), state_type: z.string().nullable(), state_name: z.string().nullable().optional() });
export type FlowRun = z.infer<typeof FlowRun>;

const MOST_TRIES = 20;
const BUSY_MS = 1000;

/** Sends JSON to the gateway with some credential's headers; throws LictorError `demo-step-failed` on anything but 2xx in the end. */
export type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

export function callerWith(url: string, credential: Readonly<Record<string, string>>): Call {
  return async (method, path, body) => {
    const headers = { ...credential, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const ask = () => fetch(`${url}/api${path}`, { method, headers, redirect: 'manual', ...(body !== undefined && { body: JSON.stringify(body) }) });
    let response = await ask();
    // Prefect on SQLite says so while its database is busy; its own clients try again as well.
    for (let again = 0; response.status === 503 && again < MOST_TRIES; again += 1) {
      await response.body?.cancel();
      await wait(BUSY_MS);
      response = await ask();
    }
    const text = await response.text();
    if (!response.ok) throw new LictorError('demo-step-failed', `${method} /api${path} was answered ${response.status}: ${text.slice(0, 500)}`);
    return text === '' ? null : JSON.parse(text);
  };
}

export async function createPool(call: Call, pool: string): Promise<void> {
  await call('POST', '/work_pools/', { name: pool, type: 'process', description: 'Made by lictor demo' });
}

/** Registers demo/flows.py as a deployment; answers its id. */
export async function createDeployment(call: Call, pool: string): Promise<string> {
  const flow = WithId.parse(await call('POST', '/flows/', { name: 'sample' }));
  const deployment = await call('POST', '/deployments/', {
    name: 'demo',
    flow_id: flow.id,
    entrypoint: 'flows.py:sample',
    path: FLOWS_DIR,
    pull_steps: [{ 'prefect.deployments.steps.set_working_directory': { directory: FLOWS_DIR } }],
    work_pool_name: pool,
    tags: ['team-a'],
    description: 'Counts the orders of four regions. Made by lictor demo.',
    parameter_openapi_schema: { type: 'object', properties: { regions: { type: 'array', items: { type: 'string' } } } },
  });
  return WithId.parse(deployment).id;
}

export async function createRun(call: Call, deploymentId: string): Promise<FlowRun> {
  return FlowRun.parse(await call('POST', `/deployments/${deploymentId}/create_flow_run`, { state: { type: 'SCHEDULED' } }));
}

export async function readRun(call: Call, id: string): Promise<FlowRun> {
  return FlowRun.parse(await call('GET', `/flow_runs/${id}`));
}
