// A worker that is played by hand: it polls for runs through the gateway, reads the token out of the answer, and begins them.
import type { Gateway } from './gateway.ts';
import { field, list, text } from './prefect.ts';
import { noteSecret } from './stored-secrets.ts';

export interface PolledRun {
  readonly id: string;
  readonly jobVariables: unknown;
  /** As the run's environment has it; undefined: none was put there. */
  readonly token: string | undefined;
}

/** What the worker with this token is given. */
export async function poll(gateway: Gateway, pool: string, worker: string): Promise<readonly PolledRun[]> {
  const response = await send(gateway, 'POST', `/api/work_pools/${pool}/get_scheduled_flow_runs`, { token: worker, body: { limit: 50 } });
  if (response.status !== 200) throw new Error(`the poll was answered ${response.status}: ${await response.text()}`);
  return list(await response.json()).map((item) => {
    const run = field(item, 'flow_run');
    const jobVariables = field(run, 'job_variables');
    const token = tokenIn(jobVariables);
    noteSecret(token);
    return { id: text(field(run, 'id')), jobVariables, token };
  });
}

/** The token that a poll gives for one run; throws when there is none. */
export async function tokenFor(gateway: Gateway, pool: string, worker: string, run: string): Promise<string> {
  const token = (await poll(gateway, pool, worker)).find(({ id }) => id === run)?.token;
  if (token === undefined) throw new Error(`no token for ${run}`);
  return token;
}

export function setState(gateway: Gateway, run: string, token: string, type: string, { force = false }: { readonly force?: boolean } = {}): Promise<Response> {
  return send(gateway, 'POST', `/api/flow_runs/${run}/set_state`, { token, body: { state: { type }, force } });
}

export interface Asked {
  readonly token: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function send(gateway: Gateway, method: string, path: string, { token, body, headers = {} }: Asked): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
  return gateway.fetch(path, { method, token, headers, ...json });
}

function tokenIn(jobVariables: unknown): string | undefined {
  const env = typeof jobVariables === 'object' && jobVariables !== null ? field(jobVariables, 'env') : undefined;
  const headers = typeof env === 'object' && env !== null ? field(env, 'PREFECT_CLIENT_CUSTOM_HEADERS') : undefined;
  if (typeof headers !== 'string') return undefined;
  const token = field(JSON.parse(headers), 'X-Lictor-Token');
  return typeof token === 'string' && token.startsWith('lcf_') ? token : undefined;
}
