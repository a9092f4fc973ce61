// Lictor observes, and nine stock workers move to the gateway while 30 flows run: none fails. Then enforcement begins, the printed rule closes the direct
// way, and doctor proves it.
import { resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { lastJson } from '../env/gateway.ts';
import { runInOwnNetwork } from '../env/own-network.ts';

let seen: Record<string, unknown>;
beforeAll(async () => {
  const command = [process.execPath, resolve(import.meta.dirname, 'migrate-workers/scenario.ts')];
  const finished = await runInOwnNetwork({ name: 'nine workers', command, env: process.env, timeoutMs: 1_500_000 });
  // The scenario fails if its gateway has stored a secret.
  if (finished.code !== 0) throw new Error(finished.output.slice(-8_000));
  seen = lastJson(finished.output);
}, 1_600_000);

it('no run fails, and no worker ends; other runs go on at each move', () => {
  expect(seen['unfinished']).toEqual([]);
  expect(seen).toMatchObject({ runs: 32, states: { COMPLETED: 32 }, alive: 9 });
  expect(seen['during']).toEqual(Array.from({ length: 9 }, () => expect.toSatisfy((active: number) => active > 0)));
});

it('the report predicts what enforcement denies, and enforcement denies nothing else', () => {
  // The request of this test with the auth string is the only one that still uses it.
  expect(seen).toMatchObject({ predicted: ['shared-password shared-password'], denied: ['node: credential-unknown work_pools.read'] });
});

it('the command counts them one by one, ends by itself, and prints no secret', () => {
  expect(seen).toMatchObject({ exit: 0, printed: 0 });
  expect(new Set(Array.isArray(seen['counts']) ? seen['counts'] : [])).toEqual(
    new Set(Array.from({ length: 10 }, (_none, count) => `${count} of 9 through the gateway`)),
  );
});

it("a worker that uses the gateway with Prefect's auth string counts as moved only with its own token; enforcement ends that auth string", () => {
  expect(seen).toMatchObject({ waysBefore: { 'shared-password': 1, direct: 8 }, waysAfter: { gateway: 9 }, withPassword: [200, 401] });
});

it('before the rule Prefect can be reached directly, afterwards not, and doctor says both', () => {
  expect(seen).toMatchObject({ open: true, doctorBefore: { 'other-addresses': 'warn', 'direct-workers': 'warn' } });
  expect(seen).toMatchObject({ closed: false, loopback: true, doctorAfter: { bypass: 'ok', 'other-addresses': 'ok', 'direct-workers': 'ok' } });
});
