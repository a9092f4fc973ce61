// The answers of services: how fast they come.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const POLICIES = '@id("callers-call")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource);\n';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-cache-'));
let service: Recorder;
let prefect: Recorder;
let gateway: Gateway;
let caller: Token;

beforeAll(async () => {
  writeFileSync(join(directory, 'services.cedar'), POLICIES);
  [service, prefect] = await Promise.all([startRecorder(), startRecorder()]);
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      services: [
        { name: 'slow', servers: [service.url], limit: { bandwidth: '1MB/s' } },
        { name: 'free', servers: [service.url] },
      ],
    },
  });
  caller = await gateway.token('caller', ['viewer']);
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([service, prefect].map((recorder) => recorder?.close()));
  rmSync(directory, { recursive: true });
});

const call = (path: string, { secret }: Token = caller, init: RequestInit = {}) => gateway.fetch(`/.lictor/svc${path}`, { ...init, token: secret });

it('an answer comes no faster than limit.bandwidth, and whole; one of another service is not held back', async () => {
  const body = 'x'.repeat(3_000_000);
  service.answerWith(() => ({ status: 200, body }));
  const took = async (path: string): Promise<number> => {
    const begun = performance.now();
    expect(await (await call(path)).text()).toHaveLength(body.length);
    return performance.now() - begun;
  };
  const held = await took('/slow/big');
  // nginx counts whole seconds: what is sent in the first one is not yet held back.
  expect(held).toBeGreaterThan(1_000);
  expect(await took('/free/big')).toBeLessThan(held);
});
