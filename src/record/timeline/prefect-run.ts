// A flow run and its states, from Prefect's API.
import type { Upstream } from '../../prefect/client/upstream.ts';

export interface PrefectRun {
  readonly id: string;
  readonly name: string;
  /** For example `Completed`, `Late`, `AwaitingRetry`. */
  readonly state: string | null;
  /** RFC 3339 in UTC, milliseconds, as in records. */
  readonly created: string | null;
  readonly deploymentId: string | null;
  /** Prefect's scheduler made it. */
  readonly autoScheduled: boolean;
  /** Prefect names only its own schedules and automations here. */
  readonly createdBy: { readonly type: string; readonly id: string; readonly name: string | null } | null;
  /** The task run in which another flow run started it. */
  readonly parentTaskRunId: string | null;
  /** Text labels only. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrefectState {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly message: string | null;
  readonly timestamp: string;
}

export type PrefectAnswer =
  | { readonly found: 'yes'; readonly run: PrefectRun; readonly states: readonly PrefectState[] }
  /** Prefect does not know the run (any more). */
  | { readonly found: 'no' }
  /** Prefect could not be asked. */
  | { readonly found: 'unknown'; readonly problem: string };

/** Never rejects: the ledger is enough for a timeline. `id` is a UUID. */
export async function askPrefect(upstream: Pick<Upstream, 'request'>, id: string): Promise<PrefectAnswer> {
  try {
    const [run, states] = await Promise.all([
      upstream.request({ method: 'GET', path: `/api/flow_runs/${id}`, headers: ACCEPT }),
      upstream.request({ method: 'GET', path: '/api/flow_run_states/', query: `flow_run_id=${id}`, headers: ACCEPT }),
    ]);
    if (run.status === 404) return { found: 'no' };
    const refused = [run, states].find(({ status }) => status !== 200);
    if (refused !== undefined) return { found: 'unknown', problem: `Prefect answered ${refused.status}` };
    return parseAnswers(JSON.parse(run.body.toString('utf8')), JSON.parse(states.body.toString('utf8')));
  } catch (error) {
    return { found: 'unknown', problem: error instanceof Error ? error.message : 'no answer' };
  }
}

const ACCEPT = { accept: 'application/json' };

function parseAnswers(run: unknown, states: unknown): PrefectAnswer {
  const parsed = parseRun(run);
  if (parsed === undefined || !Array.isArray(states)) return { found: 'unknown', problem: 'the answer of Prefect is not what it should be' };
  return { found: 'yes', run: parsed, states: states.flatMap((state) => parseState(state) ?? []) };
}

function parseRun(value: unknown): PrefectRun | undefined {
  if (!isObject(value) || typeof value['id'] !== 'string') return undefined;
  return {
    id: value['id'],
    name: text(value['name']) ?? '',
    state: text(value['state_name']),
    created: time(value['created']),
    deploymentId: text(value['deployment_id']),
    autoScheduled: value['auto_scheduled'] === true,
    createdBy: createdBy(value['created_by']),
    parentTaskRunId: text(value['parent_task_run_id']),
    labels: labels(value['labels']),
  };
}

function createdBy(value: unknown): PrefectRun['createdBy'] {
  const [type, id] = isObject(value) ? [text(value['type']), text(value['id'])] : [null, null];
  return !isObject(value) || type === null || id === null ? null : { type, id, name: text(value['display_value']) };
}

function parseState(value: unknown): PrefectState | undefined {
  const timestamp = isObject(value) ? time(value['timestamp']) : null;
  if (!isObject(value) || timestamp === null) return undefined;
  const type = text(value['type']) ?? '';
  return { id: text(value['id']) ?? '', type, name: text(value['name']) ?? type, message: text(value['message']), timestamp };
}

function labels(value: unknown): Readonly<Record<string, string>> {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.flatMap(([key, label]) => (typeof label === 'string' ? [[key, label]] : [])));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Prefect writes microseconds and either Z or an offset. */
function time(value: unknown): string | null {
  const ms = Date.parse(text(value) ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
