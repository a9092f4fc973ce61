import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { createObjectCache, type ObjectCache } from './object-cache.ts';

let nowMs: number;
/** What Prefect is asked, and says. */
let asked: number;
let says: () => Promise<JsonValue | null>;
let cache: ObjectCache;

beforeEach(() => {
  nowMs = 1_000_000;
  asked = 0;
  says = async () => ({ version: asked });
  cache = createObjectCache(
    () => {
      asked += 1;
      return says();
    },
    () => nowMs,
  );
});

const version = async () => cache.lookup('/api/flow_runs/1');
/** What was begun in the background has ended. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('what Prefect said a moment ago', () => {
  it('is one answer for all who ask meanwhile, and another one for another question', async () => {
    expect(await Promise.all([version(), version()])).toEqual([{ version: 1 }, { version: 1 }]);
    nowMs += 2_000;
    expect(await version()).toEqual({ version: 1 });
    await cache.lookup('/api/flow_runs/2');
    expect(asked).toBe(2);
  });

  it('is renewed in the background while it is used', async () => {
    await version();
    nowMs += 3_000;
    let release: (value: JsonValue) => void = () => undefined;
    says = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    expect(await Promise.all([version(), version()])).toEqual([{ version: 1 }, { version: 1 }]);
    expect(asked).toBe(2);
    release({ version: 2 });
    await settled();
    expect(await version()).toEqual({ version: 2 });
    // By when it was asked for: never older than five seconds.
    nowMs += 4_999;
    says = () => new Promise(() => undefined);
    expect(await version()).toEqual({ version: 2 });
    nowMs += 1;
    says = async () => ({ version: 'now' });
    expect(await version()).toEqual({ version: 'now' });
  });

  it('is waited for when it was not used for five seconds, or could not be renewed', async () => {
    await version();
    nowMs += 5_000;
    expect(await version()).toEqual({ version: 2 });
    nowMs += 3_000;
    says = () => Promise.reject(new Error('away'));
    expect(await version()).toEqual({ version: 2 });
    await settled();
    nowMs += 2_000;
    await expect(version()).rejects.toThrow('away');
  });

  it('is forgotten when something was changed, by what is under way too, and when the object is gone', async () => {
    await version();
    nowMs += 3_000;
    let release: (value: JsonValue) => void = () => undefined;
    says = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await version();
    cache.forget();
    says = async () => ({ version: 'after' });
    expect(await version()).toEqual({ version: 'after' });
    release({ version: 'before' });
    await settled();
    expect(await version()).toEqual({ version: 'after' });
    nowMs += 3_000;
    says = async () => null;
    expect(await version()).toEqual({ version: 'after' });
    await settled();
    expect(await version()).toBeNull();
  });
});
