// Calls of a service at a pace, by the tokens of runs, from one client; how long each took, and what came of it.
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { Gateway } from '../../env/gateway.ts';

export interface Called {
  readonly ms: number;
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface Pace {
  readonly perSecond: number;
  readonly count: number;
}

export interface Client {
  /** Sent at these times, whether the ones before are answered or not. */
  paced(token: string, pace: Pace): Promise<readonly Called[]>;
  close(): Promise<void>;
}

const Headers = z.object({ 'retry-after': z.string().optional() });

export function openClient({ port }: Pick<Gateway, 'port'>, path: string): Client {
  const dispatcher = new Agent({ connections: 256, pipelining: 1 });
  const call = async (token: string): Promise<Called> => {
    const began = performance.now();
    const { statusCode, headers, body } = await request(`http://localhost:${port}${path}`, { dispatcher, headers: { authorization: `Bearer ${token}` } });
    await body.dump();
    return { ms: performance.now() - began, status: statusCode, retryAfter: Headers.parse(headers)['retry-after'] };
  };
  return {
    paced: (token, { perSecond, count }) => {
      const began = performance.now();
      const calls: Promise<Called>[] = [];
      return new Promise((resolve, reject) => {
        const timer = setInterval(() => {
          const due = Math.min(count, 1 + Math.floor(((performance.now() - began) * perSecond) / 1000));
          while (calls.length < due) calls.push(call(token));
          if (calls.length < count) return;
          clearInterval(timer);
          Promise.all(calls).then(resolve, reject);
        }, 2);
      });
    },
    close: () => dispatcher.close(),
  };
}

/** Of at least one number. */
export function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}
