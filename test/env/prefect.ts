// The one real Prefect of a test run, and direct access to it: what is true on the server, round the gateway.
import { inject } from 'vitest';
import type { PrefectAddress } from './prefect-server.ts';
import { alsoShow, waitFor } from './process.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    prefect: PrefectAddress;
  }
}

/** The shared Prefect of this run. */
export function sharedPrefect(): PrefectAddress {
  const prefect = inject('prefect');
  alsoShow('prefect server', prefect.logFile);
  return prefect;
}

export interface Direct {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<unknown>;
  put(path: string, body: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  /** `COMPLETED`, `RUNNING`... */
  runState(flowRunId: string): Promise<string>;
  awaitRunState(flowRunId: string, states: readonly string[], timeoutMs?: number): Promise<string>;
  /** How many task runs of a flow run are in each state. */
  taskRunStates(flowRunId: string): Promise<Record<string, number>>;
  /** All log messages of a run, in the order of their time. */
  logMessages(flowRunId: string): Promise<string[]>;
}

/** Talks to Prefect itself with its own auth string. */
export function directTo(prefect: PrefectAddress): Direct {
  const call = (method: string, path: string, body?: unknown, more?: Readonly<Record<string, string>>): Promise<unknown> =>
    requestJson(prefect, { method, path, body, more });
  const runState = async (id: string): Promise<string> => text(field(await call('GET', `/flow_runs/${id}`), 'state_type'));
  return {
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body) => call('PUT', path, body),
    delete: (path) => call('DELETE', path),
    runState,
    awaitRunState: (id, states, timeoutMs = 120_000) =>
      waitFor(async () => oneOf(await runState(id), states), { what: `run ${id} to be ${states.join(' or ')}`, timeoutMs, everyMs: 250 }),
    taskRunStates: (id) => countTaskRuns(call, id),
    logMessages: (id) => readLogs(call, id),
  };
}

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly more?: Readonly<Record<string, string>> | undefined;
}

async function requestJson(prefect: PrefectAddress, { method, path, body, more }: Sent): Promise<unknown> {
  const headers = { ...more, authorization: `Basic ${Buffer.from(prefect.authString).toString('base64')}`, 'content-type': 'application/json' };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await withPatience(() => fetch(`${prefect.url}/api${path}`, init));
  if (!response.ok) throw new Error(`Prefect itself answered ${response.status} to ${method} ${path}: ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

/** What Prefect itself answers, with 503, when its database is locked. */
const BUSY = '{"exception_message":"Service Unavailable"}';

/** On SQLite Prefect's database is locked now and then; its clients try again, and so do the tests. No other answer is asked for twice. */
export async function withPatience(ask: () => Promise<Response>): Promise<Response> {
  let response = await ask();
  const isBusy = async (): Promise<boolean> => response.status === 503 && (await response.clone().text()) === BUSY;
  if (!(await isBusy())) return response;
  const again = async (): Promise<boolean> => {
    response = await ask();
    return !(await isBusy());
  };
  await waitFor(again, { what: 'Prefect to have its database to itself', timeoutMs: 60_000, everyMs: 500 }).catch(() => undefined);
  return response;
}

async function countTaskRuns(call: Call, id: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const filter = { flow_runs: { id: { any_: [id] } }, limit: 200 };
  for (const run of list(await call('POST', '/task_runs/filter', filter))) {
    const state = text(field(run, 'state_type'));
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

async function readLogs(call: Call, id: string): Promise<string[]> {
  const messages: string[] = [];
  for (;;) {
    const page = list(
      await call('POST', '/logs/filter', { logs: { flow_run_id: { any_: [id] } }, sort: 'TIMESTAMP_ASC', limit: 200, offset: messages.length }),
    );
    messages.push(...page.map((log) => text(field(log, 'message'))));
    if (page.length < 200) return messages;
  }
}

function oneOf(state: string, states: readonly string[]): string {
  return states.includes(state) ? state : '';
}

/** A field of a JSON object; throws when it is no object. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) throw new Error(`no object with ${name}: ${JSON.stringify(value)}`);
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** A JSON list; throws when it is none. */
export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value;
}

/** A JSON string; throws when it is none. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`);
  return value;
}
