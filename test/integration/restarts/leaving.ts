// SIGTERM: a load balancer sees it at once, while everything is served. Then sockets close, and requests that run end.
import { expect } from 'vitest';
import type { Gateway } from '../../env/gateway.ts';
import { signalProcess, waitFor } from '../../env/process.ts';
import { authFrame, openSocket } from '../../env/socket.ts';
import type { Recorder } from '../../env/upstream-recorder.ts';

export interface LeavingParts {
  readonly gateway: Gateway;
  readonly recorder: Recorder;
  /** Of a deployer. */
  readonly token: string;
}

const RUN = '/api/flow_runs/00000000-0000-0000-0000-000000000001';

/** The gateway has `shutdown_delay`. It has ended afterwards. */
export async function leavesInOrder({ gateway, recorder, token }: LeavingParts): Promise<void> {
  const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
  expect(await socket.opened).toBe(true);
  await waitFor(() => recorder.firstFrames().length > 0, { what: 'the socket to be open at Prefect' });
  const running = await answersLater({ gateway, recorder, token });
  signalProcess(gateway.pids().supervisor, 'SIGTERM');
  const ready = await waitFor(() => notReady(gateway), { what: '/.lictor/ready to say 503' });
  expect(ready).toMatchObject({ status: 'not-ready', checks: { stays: 'failed', edge: 'ok' } });
  expect((await gateway.fetch(RUN, { token })).status).toBe(200);
  expect((await gateway.fetch('/.lictor/health')).status).toBe(200);
  expect((await socket.ended).code).toBe(1012);
  running.answer();
  expect((await running.response).status).toBe(201);
  expect(await gateway.stop()).toEqual([]);
}

async function notReady(gateway: Gateway): Promise<unknown> {
  const answer = await gateway.fetch('/.lictor/ready');
  return answer.status === 503 ? await answer.json() : undefined;
}

interface Running {
  readonly response: Promise<Response>;
  answer(): void;
}

/** A mediated request that Prefect answers only then. */
async function answersLater({ gateway, recorder, token }: LeavingParts): Promise<Running> {
  const [arrived, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  recorder.answerWith(async ({ method, target }) => {
    if (method !== 'POST' || target !== '/api/variables/') return undefined;
    arrived.resolve();
    await answered.promise;
    return { status: 201, body: '{}' };
  });
  const response = gateway.fetch('/api/variables/', {
    method: 'POST',
    token,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'late', value: '1' }),
  });
  await arrived.promise;
  return { response, answer: answered.resolve };
}
