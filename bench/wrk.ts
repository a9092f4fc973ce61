// One run of wrk, the load generator, and what it measured.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { LictorError } from '../src/contract/error.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('./wrk.lua', import.meta.url));

export interface Load {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** `{id}` in it becomes a UUID. */
  readonly path: string;
  /** How many different UUIDs, in turn. */
  readonly objects: number;
  /** `Host` among them, spelt so: wrk would add its own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connections: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const Output = z.object({ requests: z.number(), durationUs: z.number(), refused: z.number(), failed: z.number(), p50Us: z.number(), p99Us: z.number() });

/** Throws LictorError `bench-load` when a single request was refused or failed: such a run measures something else. */
export async function wrk(load: Load, seconds: number): Promise<Measured> {
  const args = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT, load.url];
  const { stdout } = await run('wrk', args, { env: { ...process.env, ...environmentOf(load) } });
  return measuredBy(stdout, load);
}

function environmentOf({ method, path, objects, headers, body = '' }: Load): Record<string, string> {
  return {
    LICTOR_BENCH_METHOD: method,
    LICTOR_BENCH_PATH: path,
    LICTOR_BENCH_OBJECTS: String(objects),
    LICTOR_BENCH_HEADERS: Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
    LICTOR_BENCH_BODY: body,
  };
}

function measuredBy(stdout: string, { url, path }: Load): Measured {
  const { requests, durationUs, refused, failed, p50Us, p99Us } = Output.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
  if (requests === 0 || refused > 0 || failed > 0) {
    throw new LictorError('bench-load', `${url}${path}: of ${requests} requests ${refused} were refused and ${failed} failed; nothing was measured.`);
  }
  return { perSecond: (requests * 1e6) / durationUs, p50Ms: p50Us / 1000, p99Ms: p99Us / 1000 };
}
