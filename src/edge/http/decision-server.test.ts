import { once } from 'node:events';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Answer } from '../../authorization/decide/answer.ts';
import { createDecisionServer } from './decision-server.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function ask(answer: () => Promise<Answer>, onError: (error: unknown) => void = () => undefined) {
  const socketPath = join(tmpdir(), `lictor-decision-${process.pid}-${performance.now()}.sock`);
  server = createDecisionServer({ answer, forget: () => undefined }, () => true, onError).listen(socketPath);
  await once(server, 'listening');
  return new Promise<number | string>((resolve) => {
    request({ socketPath, agent: false }, (response) => resolve(response.resume().statusCode ?? 0))
      .on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
      .end();
  });
}

it('answers what was decided', async () => {
  expect(await ask(async () => ({ status: 200, headers: {} }))).toBe(200);
});

it('twin: answers a refusal as one', async () => {
  expect(await ask(async () => ({ status: 403, headers: {} }))).toBe(403);
});

it('twin: destroys the connection when it cannot decide, and reports why', async () => {
  const errors: unknown[] = [];
  const defect = new Error('no decision');
  expect(
    await ask(
      () => Promise.reject(defect),
      (error) => errors.push(error),
    ),
  ).toBe('ECONNRESET');
  expect(errors).toEqual([defect]);
});
