import { beforeEach, describe, expect, it } from 'vitest';
import { AT_ONCE } from '../../../contract/clock.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import type { StoredRunToken } from '../../../store/run-tokens.ts';
import { createLife, type Life } from './life.ts';

let nowMs: number;
/** Undefined: goes with the wall clock. */
let steadyMs: number | undefined;
let asked: number;
let says: () => Promise<JsonValue | null>;
let ends: number[];
let life: Life;

const RUNNING = { state: { type: 'RUNNING' } };
const GRACE_MS = 60_000;

beforeEach(() => {
  nowMs = 1_000_000_000;
  steadyMs = undefined;
  asked = 0;
  says = async () => RUNNING;
  ends = [];
  life = createLife({
    store: { endOf: async (_run, endedMs) => void ends.push(endedMs), renew: async () => undefined },
    lookup: () => {
      asked += 1;
      return says();
    },
    clock: () => nowMs,
    steady: () => steadyMs ?? nowMs,
    onError: () => undefined,
  });
});

const endOf = () => life.endOf({ hash: 'h', flowRunId: 'r', endedMs: null, expiresMs: nowMs + 24 * 3_600_000 } as StoredRunToken);
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('whether a run continues', () => {
  it('is asked ahead while its token is used, so that no request waits for it', async () => {
    expect(await endOf()).toBeNull();
    nowMs += 2_000;
    expect(await endOf()).toBeNull();
    expect(asked).toBe(1);
    nowMs += 1_000;
    says = () => new Promise(() => undefined);
    expect(await Promise.all([endOf(), endOf()])).toEqual([null, null]);
    expect(asked).toBe(2);
  });

  it('is known five seconds after its end at the latest', async () => {
    await endOf();
    nowMs += 3_000;
    await endOf();
    await settled();
    // The look of then counts until five seconds after it; the one ahead of that finds the end.
    nowMs += 3_000;
    says = async () => ({ state: { type: 'COMPLETED', timestamp: new Date(nowMs).toISOString() } });
    expect(await endOf()).toBeNull();
    await settled();
    expect(await endOf()).toBe(nowMs + GRACE_MS);
    expect(ends).toEqual([nowMs + GRACE_MS]);
  });

  it('is waited for if the token was not used for five seconds, or if Prefect did not answer ahead', async () => {
    await endOf();
    nowMs += 3_000;
    says = () => Promise.reject(new Error('away'));
    expect(await endOf()).toBeNull();
    await settled();
    nowMs += 2_000;
    says = async () => null;
    expect(await endOf()).toBe(AT_ONCE);
    expect(asked).toBe(3);
  });

  it.each([-3_600_000, 3_600_000])('is asked after five seconds, and not before, if the clock steps by %i ms', async (putMs) => {
    steadyMs = 0;
    await endOf();
    nowMs += putMs;
    steadyMs = 2_000;
    await endOf();
    expect(asked).toBe(1);
    steadyMs = 5_000;
    says = async () => null;
    expect([await endOf(), asked]).toEqual([AT_ONCE, 2]);
  });
});
