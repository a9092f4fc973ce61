import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CredentialRefresher, createRefresher } from './credential-refresher.ts';
import { type Source, scriptedSource } from './gateway.fixture.ts';

let source: Source;
let refresher: CredentialRefresher;
/** By so much the wall clock is put. */
let putMs = 0;
const said: string[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  said.length = 0;
  putMs = 0;
  source = scriptedSource('c1', 60_000);
  refresher = createRefresher({ source, clock: () => Date.now() + putMs, steady: Date.now, say: (line) => said.push(line), limits: { waitMs: 0 } });
  await refresher.start(0);
});
afterEach(() => {
  refresher.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('freshness', () => {
  it('renews at a fraction of the life, before any request', async () => {
    source.secret = 'c2';
    await pass(35_000);
    expect(await refresher.current()).toBe('c1');
    await pass(2000);
    expect(await refresher.current()).toBe('c2');
    expect(source.asked).toBe(2);
  });

  it('survives any number of ends', async () => {
    for (let round = 2; round < 50; round++) {
      source.secret = `c${round}`;
      await pass(36_000);
      expect(await refresher.current()).toBe(`c${round}`);
    }
  });

  it('keeps the present one to its end while the source is away, and tries all the time', async () => {
    source.secret = null;
    await pass(57_000);
    expect(await refresher.current()).toBe('c1');
    expect(source.asked).toBeGreaterThan(4);
    expect(said).toEqual([expect.stringContaining('good for 22 s more')]);
    await pass(2000);
    expect(await refresher.current()).toBeUndefined();
    source.secret = 'c2';
    await pass(5000);
    expect(await refresher.current()).toBe('c2');
    expect(said).toHaveLength(2);
  });

  it('asks a source that is away no more often because requests come in', async () => {
    source.secret = null;
    await pass(70_000);
    const before = source.asked;
    await Promise.all(Array.from({ length: 100 }, () => refresher.current()));
    expect(source.asked).toBe(before);
  });

  it('asks once for many that were refused at the same time', async () => {
    source.secret = 'c2';
    const answers = await Promise.all(Array.from({ length: 100 }, () => refresher.replace('c1')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"kind":"fresh","secret":"c2"}']));
    expect(source.asked).toBe(2);
  });

  it('does not ask again and again for a principal that the gateway will not have', async () => {
    expect(await refresher.replace('c1')).toEqual({ kind: 'same' });
    for (let each = 0; each < 50; each++) expect(await refresher.replace('c1')).toEqual({ kind: 'same' });
    expect(source.asked).toBe(2);
    await pass(5000);
    source.secret = 'c2';
    expect(await refresher.replace('c1')).toEqual({ kind: 'fresh', secret: 'c2' });
  });

  it.each([-3_600_000, 30_000])('asks again five seconds after it was refused, and not before, where the clock is put by %i ms', async (ms) => {
    expect(await refresher.replace('c1')).toEqual({ kind: 'same' });
    putMs = ms;
    source.secret = 'c2';
    await pass(4_999);
    await refresher.replace('c1');
    expect(source.asked).toBe(2);
    await pass(1);
    expect(await refresher.replace('c1')).toEqual({ kind: 'fresh', secret: 'c2' });
  });

  it('reports an outage while the source does not answer', async () => {
    source.secret = null;
    expect(await refresher.replace('c1')).toEqual({ kind: 'away' });
    expect(await refresher.replace('c1')).toEqual({ kind: 'away' });
  });

  it('stops asking when it is stopped', async () => {
    refresher.stop();
    await pass(600_000);
    expect(source.asked).toBe(1);
  });
});

describe('the start', () => {
  /** The pauses at the start are real ones. */
  const limits = { firstPauseMs: 1, longestPauseMs: 1 };
  const createLate = (of: Source): CredentialRefresher =>
    createRefresher({ source: of, clock: () => Date.now() + putMs, steady: Date.now, say: (line) => said.push(line), limits });

  it('waits for a source that is away', async () => {
    const away = scriptedSource(null);
    const late = createLate(away);
    const started = late.start(30_000);
    await pass(4000);
    away.secret = 'c9';
    await pass(10_000);
    await started;
    expect(await late.current()).toBe('c9');
    late.stop();
  });

  it('names a source that is away once', async () => {
    const away = scriptedSource(null);
    const late = createLate(away);
    const started = late.start(30_000);
    while (away.asked < 4) await new Promise((resolve) => setImmediate(resolve));
    away.secret = 'c9';
    await started;
    expect(said).toEqual(['The provider is away. Trying again.']);
    late.stop();
  });

  it('twin: not for ever', async () => {
    const late = createLate(scriptedSource(null));
    const started = expect(late.start(30_000)).rejects.toThrow('The provider is away.');
    await pass(60_000);
    await started;
  });

  it('twin: not for ever where the clock is put back meanwhile', async () => {
    const late = createLate(scriptedSource(null));
    const started = expect(late.start(30_000)).rejects.toThrow('The provider is away.');
    putMs = -3_600_000;
    await pass(60_000);
    await started;
  });
});
