import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Traces } from '../../../config/config.ts';
import { waitFor } from '../../../operations/supervise/processes/wait-for.ts';
import { accessLine, tempState } from '../../ledger/lines.fixture.ts';
import { createTracing, type Tracing } from './tracing.ts';

const id = (number: number): string => `0199c0de0000700080000000${String(number).padStart(8, '0')}`;

describe('traces of the access log', () => {
  let accessLog: string;
  let remove: () => void;
  let server: Server;
  let received: string[];
  let warned: string[];
  let tracing: Tracing;
  let traces: Traces;
  beforeEach(async () => {
    const state = tempState();
    ({ remove } = state);
    accessLog = state.paths.accessLog;
    [received, warned] = [[], []];
    server = createServer(async (request, response) => {
      for await (const part of request) received.push(String(part));
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    traces = { url: `http://127.0.0.1:${port}`, ca: null, headers: {}, timeoutMs: 5_000, share: 1 };
    tracing = createTracing({ accessLog, basePath: '', log: { info: () => undefined, warn: (_fields, text) => warned.push(text) } });
  });
  afterEach(async () => {
    await tracing.close();
    server.closeAllConnections();
    server.close();
    remove();
  });

  const log = (number: number): void => appendFileSync(accessLog, `${accessLine(id(number))}\n`);
  const traced = (number: number): boolean => received.join('').includes(id(number));
  const isTraced = (number: number) => waitFor(() => traced(number), { what: `the spans of request ${number}`, timeoutMs: 20_000 });

  it('begin with the first request after the start, while the thread is still on its way', async () => {
    log(1);
    await tracing.use(traces);
    log(2);
    await isTraced(2);
    expect(traced(1)).toBe(false);
  });

  it('begin with the whole log where there was none', async () => {
    await tracing.use(traces);
    log(1);
    await isTraced(1);
  });

  it('begin with the first request also where the log is rotated at this very moment', async () => {
    log(1);
    await tracing.use(traces);
    log(2);
    renameSync(accessLog, `${accessLog}.1`);
    log(3);
    await isTraced(2);
    await isTraced(3);
    expect(traced(1)).toBe(false);
  });

  it('are none of a log that cannot be read: it is said, nothing old is sent, and the next reload tries again', async () => {
    mkdirSync(accessLog);
    await tracing.use({ ...traces });
    await waitFor(() => warned.length > 0, { what: 'the warning' });
    expect(warned).toEqual(['traces cannot be made: there are none until the next reload']);
    rmSync(accessLog, { recursive: true });
    log(1);
    await tracing.use(traces);
    log(2);
    await isTraced(2);
    expect(traced(1)).toBe(false);
  });
});
