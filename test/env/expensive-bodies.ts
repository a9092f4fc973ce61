// Bodies that cost as much as their size allows, and another principal that goes on working beside them.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Agent, request } from 'undici';
import type { Gateway } from './gateway.ts';

/** JSON values of about so many bytes, by what is expensive in them. All are below the bound on values and keys. */
export const EXPENSIVE: Readonly<Record<string, (bytes: number) => string>> = {
  'deep, then wide': (bytes) => nested(57, list('0', Math.min(bytes, 500_000))),
  wide: (bytes) => list('0', Math.min(bytes, 500_000)),
  'empty lists': (bytes) => list('[]', Math.min(bytes, 400_000)),
  'many keys': (bytes) => object(Math.min(bytes / 11, 95_000)),
  fractions: (bytes) => list('1.50', Math.min(bytes, 700_000)),
  'a long text': (bytes) => `"${'a'.repeat(bytes)}"`,
  escapes: (bytes) => list('"\\ud83d\\ude00"', Math.min(bytes, 4_000_000)),
  templates: (bytes) => `"${'{{ prefect.variables.a }}'.repeat(bytes / 25)}"`,
  'JSON in a text': (bytes) => `{"__prefect_kind":"json","value":${JSON.stringify(list('{"__prefect_kind":"none"}', bytes / 2))}}`,
  kinds: (bytes) => list('{"__prefect_kind":"jinja","template":"{{ x }}"}', Math.min(bytes, 2_000_000)),
  'keys that are numbers': (bytes) => list('{"1":0,"0":0}', Math.min(bytes, 500_000)),
  'more values than the bound': (bytes) => list('0', bytes),
};

function list(item: string, bytes: number): string {
  return `[${Array.from({ length: Math.max(1, Math.floor(bytes / (item.length + 1))) }, () => item).join(',')}]`;
}

function object(keys: number): string {
  return `{${Array.from({ length: Math.floor(keys) }, (_, at) => `"k${at}":0`).join(',')}}`;
}

function nested(levels: number, inner: string): string {
  return `${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;
}

export interface Answered {
  readonly status: number;
  readonly ms: number;
}

export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: string;
}

export interface Watched {
  readonly ask: Ask;
  /** Between an answer and the next request. */
  readonly pauseMs?: number;
}

export interface Client {
  send(ask: Ask): Promise<Answered>;
  post(path: string, token: string, body: string): Promise<Answered>;
  /** Asks again and again, in a thread, until it is ended. */
  watch(watched: Watched): () => Promise<readonly Answered[]>;
  close(): Promise<void>;
}

export function openClient({ port }: Pick<Gateway, 'port'>): Client {
  const dispatcher = new Agent({ connections: 64, pipelining: 1, headersTimeout: 120_000 });
  const send = async ({ method, path, token, body }: Ask): Promise<Answered> => {
    const began = performance.now();
    const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const answer = await request(`http://localhost:${port}${path}`, { dispatcher, method, headers, ...(body !== undefined && { body }) });
    await answer.body.dump();
    return { status: answer.statusCode, ms: performance.now() - began };
  };
  return {
    send,
    post: (path, token, body) => send({ method: 'POST', path, token, body }),
    watch(watched) {
      const thread = new Worker(new URL('./watch-thread.ts', import.meta.url), { workerData: { port, ...watched } });
      const answers = once(thread, 'message');
      return async () => {
        thread.postMessage('end');
        const [seen] = await answers;
        return seen;
      };
    },
    close: () => dispatcher.close(),
  };
}

/** Of at least one answer. */
export function p99(answers: readonly Answered[]): number {
  const sorted = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

/** What a process has in memory now, in MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}
