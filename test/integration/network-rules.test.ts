// The rules of nftables that `lictor migrate workers` prints, loaded in a separate network: the probes of docs/how-to/network-rules.md and of doctor prove them.
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lastJson } from '../env/gateway.ts';
import { runInOwnNetwork } from '../env/own-network.ts';

let seen: Record<string, unknown>;
beforeAll(async () => {
  const command = [process.execPath, resolve(import.meta.dirname, 'network-rules/scenario.ts')];
  const finished = await runInOwnNetwork({ name: 'network rules', command, env: process.env, timeoutMs: 60_000 });
  if (finished.code !== 0) throw new Error(finished.output.slice(-4_000));
  seen = lastJson(finished.output);
});

const refused = expect.stringMatching(/Connection refused|Couldn't connect|reset by peer/);

describe('without a rule', () => {
  it('everyone reaches Prefect, and doctor says so', () => {
    expect(seen['before']).toEqual({ probes: { gateway: 'true', worker: 'true', workerSix: 'true' }, doctor: ['warn'] });
  });
});

describe('the rule on the machine of Prefect', () => {
  it('lets the gateway in, and nobody else, by IPv4 or IPv6', () => {
    expect(seen['far']).toEqual({ gateway: 'true', worker: refused, workerSix: refused });
  });
});

describe('the rule on the machine of both', () => {
  it('lets loopback in, and nobody else, and doctor proves it', () => {
    expect(seen['near']).toEqual({ probes: { gateway: refused, worker: refused, workerSix: refused }, loopback: 'true', doctor: ['ok'] });
  });
});
