// A bounded load on a gateway: loops of requests, each waiting for its answer. It collects failures, and no request can hang.
import { setTimeout as wait } from 'node:timers/promises';
import type { Gateway } from '../../env/gateway.ts';
import { field } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';

export interface Failure {
  /** When the request began, on `performance.now()`. */
  readonly startedMs: number;
  /** 0: the answer had begun, and broke off. */
  readonly status: number;
  readonly code: unknown;
  /** It is there, and a number. */
  readonly retryAfter: boolean;
  readonly maintenance: boolean;
}

export interface Load {
  /** Waits until so many more answers have come. */
  more(count: number): Promise<void>;
  /** Waits until whatever is on its way now has ended. */
  inHandEnded(): Promise<void>;
  succeeded(): number;
  failures(): readonly Failure[];
  /** Throws what broke a loop: a request without an answer. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly gateway: Gateway;
  readonly token: string;
  readonly loops: number;
  /** A token that may run `deployment`: then every third request creates a run, which goes the mediated way. */
  readonly mediated?: string;
  readonly deployment?: string;
}

/** Between an answer and the next request of a loop: a server that dies has some in hand, and the tests leave the machine to it. */
const PAUSE_MS = 20;

/** Far below the longest that the edge waits for an answer: a request that takes longer hangs. */
const HANGS_MS = 30_000;

export function startLoad(options: LoadOptions): Load {
  const failures: Failure[] = [];
  const state = { succeeded: 0, ended: false };
  const turns = Array.from({ length: options.loops }, () => 0);
  const loop = async (place: number): Promise<void> => {
    for (let turn = 0; !state.ended; turn += 1, turns[place] = turn) {
      const startedMs = performance.now();
      const response = await ask(options, turn);
      const body = await response.text().catch(() => undefined);
      if (body === undefined) failures.push({ startedMs, status: 0, code: null, retryAfter: false, maintenance: false });
      else if (response.ok) state.succeeded += 1;
      else failures.push({ startedMs, ...failureOf(response, body) });
      await wait(PAUSE_MS);
    }
  };
  const loops = Promise.all(turns.map((_, place) => loop(place)));
  loops.catch(() => undefined); // stop() reports it
  const answers = (): number => state.succeeded + failures.length;
  return {
    async more(count) {
      const until = answers() + count;
      await waitFor(() => answers() >= until, { what: `${count} more answers`, timeoutMs: 90_000 });
    },
    async inHandEnded() {
      const before = [...turns];
      await waitFor(() => turns.every((turn, place) => turn > (before[place] ?? 0)), { what: 'what is on its way to end', timeoutMs: 90_000 });
    },
    succeeded: () => state.succeeded,
    failures: () => failures,
    async stop() {
      state.ended = true;
      await loops;
    },
  };
}

function ask({ gateway, token, mediated, deployment }: LoadOptions, turn: number): Promise<Response> {
  const signal = AbortSignal.timeout(HANGS_MS);
  const post = (path: string, by: string, body: unknown) =>
    gateway.fetch(path, { method: 'POST', token: by, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal });
  if (turn % 3 === 0) return gateway.fetch('/api/admin/version', { token, signal });
  if (turn % 3 === 1 && mediated !== undefined) return post(`/api/deployments/${deployment}/create_flow_run`, mediated, {});
  return post('/api/flow_runs/filter', token, { limit: 5 });
}

function failureOf({ status, headers }: Response, body: string): Omit<Failure, 'startedMs'> {
  return {
    status,
    code: body.startsWith('{') ? field(JSON.parse(body), 'code') : body,
    retryAfter: /^\d+$/.test(headers.get('retry-after') ?? ''),
    maintenance: headers.get('prefect-maintenance') === 'true',
  };
}
