// Runs that their worker has begun, each with its own token, without a process for each: what a service sees of them is the same.
import type { Gateway } from './gateway.ts';
import { send, setState, tokenFor } from './polled.ts';
import { type Direct, field, text } from './prefect.ts';

export interface BegunRun {
  readonly run: string;
  readonly token: string;
}

export interface RunsParts {
  readonly gateway: Gateway;
  readonly server: Direct;
  /** Of a worker that may also start runs. */
  readonly worker: string;
  /** Of the pool, the flow and the deployments. */
  readonly name: string;
}

/** Of a pool whose runs get the environment from their job variables. */
export const TEMPLATE = {
  job_configuration: { env: '{{ env }}', command: '{{ command }}' },
  variables: { type: 'object', properties: { env: { type: 'object' }, command: { type: 'string' } } },
};

/** Makes a pool and a flow; answers what begins a run with this tag. */
export async function runsFrom({ gateway, server, worker, name }: RunsParts): Promise<(tag: string) => Promise<BegunRun>> {
  await server.post('/work_pools/', { name, type: 'process', base_job_template: TEMPLATE });
  const flow = text(field(await server.post('/flows/', { name }), 'id'));
  return async (tag) => {
    const made = await server.post('/deployments/', { name: `${tag}-${name}`, flow_id: flow, work_pool_name: name, tags: [tag] });
    const started = await send(gateway, 'POST', `/api/deployments/${text(field(made, 'id'))}/create_flow_run`, { token: worker, body: {} });
    const run = text(field(await started.json(), 'id'));
    const token = await tokenFor(gateway, name, worker, run);
    await setState(gateway, run, worker, 'PENDING');
    return { run, token };
  };
}
