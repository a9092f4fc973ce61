import { describe, expect, it } from 'vitest';
import type { WorkerChannel } from '../../../contract/worker-channel.ts';
import { COLUMNS, recordOfRow } from '../../../record/ledger/columns.ts';
import type { ListedWorker } from './all-workers.ts';
import { compareWorkers } from './compare-workers.ts';
import { tokenNameOf } from './worker-token-name.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const NOTHING = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, null]));

const worker = (name: string, beatAgo = 10, pool = 'p'): ListedWorker => ({ pool, name, type: 'process', beatMs: NOW - beatAgo * 1000 });
const channel = (name: string, { heardAgo = 10, sinceAgo = 600, ...more }: Partial<WorkerChannel> & { heardAgo?: number; sinceAgo?: number } = {}) => ({
  ...{ pool: 'p', name, principal: 'token:shared', heardMs: NOW - heardAgo * 1000, sinceMs: NOW - sinceAgo * 1000 },
  ...more,
});
const heartbeat = (principal: string, ago: number, pool = 'p') =>
  recordOfRow({ ...NOTHING, principal, time: new Date(NOW - ago * 1000).toISOString(), path: `/api/work_pools/${pool}/workers/heartbeat` });

const way = (one: ListedWorker, channels: readonly WorkerChannel[], heartbeats: Parameters<typeof compareWorkers>[1]['heartbeats'] = []) =>
  compareWorkers([one], { channels, heartbeats })[0]?.way;

describe('a worker with a channel', () => {
  it('has moved while the channel is open, and has not without one', () => {
    expect(way(worker('a'), [channel('a')])).toBe('gateway');
    expect(way(worker('a'), [])).toBe('direct');
    expect(way(worker('a'), [channel('b')])).toBe('direct');
    expect(way(worker('a'), [channel('a', { pool: 'q' })])).toBe('direct');
  });

  it('uses both ways if Prefect has a later heartbeat than the gateway, beyond the difference of clocks', () => {
    expect(way(worker('a', 4), [channel('a', { heardAgo: 8 })])).toBe('gateway');
    expect(way(worker('a', 2), [channel('a', { heardAgo: 8 })])).toBe('both');
    // The newest of two channels counts.
    expect(way(worker('a', 2), [channel('a', { heardAgo: 8 }), channel('a', { heardAgo: 3 })])).toBe('gateway');
  });

  it('has moved if the later heartbeat came over HTTP, also through the gateway', () => {
    expect(way(worker('a', 2), [channel('a', { heardAgo: 20 })], [heartbeat('token:shared', 3)])).toBe('gateway');
    expect(way(worker('a', 2), [channel('a', { heardAgo: 20 })], [heartbeat('token:shared', 3, 'q')])).toBe('both');
  });
});

describe('a worker without a channel', () => {
  const own = `token:${tokenNameOf({ pool: 'p', name: 'a' })}`;

  it('has moved by heartbeats with its own token, and uses both ways if Prefect has others', () => {
    for (const principal of [own, 'token:a']) expect(way(worker('a', 10), [], [heartbeat(principal, 40), heartbeat(principal, 10)])).toBe('gateway');
    expect(way(worker('a', 10), [], [heartbeat(own, 40)])).toBe('both');
    expect(way(worker('a', 10), [], [heartbeat(own, 10, 'q')])).toBe('direct');
  });

  it('is unclear with the token of others, and direct if no heartbeat is near', () => {
    expect(way(worker('a', 10), [], [heartbeat('token:shared', 9)])).toBe('unclear');
    expect(way(worker('a', 10), [], [heartbeat('token:shared', 30)])).toBe('direct');
  });
});

describe("a worker that uses the gateway with Prefect's own auth string", () => {
  const principal = 'shared-password:10.0.0.7';
  const own = `token:${tokenNameOf({ pool: 'p', name: 'a' })}`;

  it('has not moved, whether it has a channel or sends heartbeats over HTTP', () => {
    expect(way(worker('a'), [channel('a', { principal })])).toBe('shared-password');
    expect(way(worker('a', 10), [], [heartbeat(principal, 9)])).toBe('shared-password');
    expect(compareWorkers([worker('a')], { channels: [channel('a', { principal })], heartbeats: [] })).toMatchObject([{ firstSeenMs: null }]);
  });

  it('has not moved while a second process of its name does so', () => {
    expect(way(worker('a'), [channel('a', { principal: own }), channel('a', { principal })])).toBe('shared-password');
    expect(way(worker('a', 2), [channel('a', { principal: own, heardAgo: 20 })], [heartbeat(principal, 3)])).toBe('shared-password');
    expect(way(worker('a', 2), [], [heartbeat(own, 20), heartbeat(principal, 3)])).toBe('shared-password');
  });

  it('is none that has its own token while another worker of its pool does so', () => {
    expect(way(worker('a'), [channel('a', { principal: own }), channel('b', { principal })], [heartbeat(principal, 9)])).toBe('gateway');
    expect(way(worker('a', 10), [], [heartbeat(own, 10), heartbeat(principal, 9)])).toBe('gateway');
    expect(way(worker('a', 10), [], [heartbeat(principal, 30)])).toBe('direct');
  });
});

describe('a worker that was restarted under another name', () => {
  const principal = `token:${tokenNameOf({ pool: 'p', name: 'a' })}`;

  it('is found by its token', () => {
    const renamed = compareWorkers([worker('a', 60)], { channels: [channel('a-2', { principal, sinceAgo: 30 })], heartbeats: [] });
    expect(renamed).toMatchObject([{ way: 'renamed', newName: 'a-2' }]);
  });

  it('is not one whose old process still sends heartbeats, nor one of another token or pool', () => {
    expect(way(worker('a', 10), [channel('a-2', { principal, sinceAgo: 30 })])).toBe('direct');
    expect(way(worker('a', 60), [channel('a-2', { sinceAgo: 30 })])).toBe('direct');
    expect(way(worker('a', 60), [channel('a-2', { principal, sinceAgo: 30, pool: 'q' })])).toBe('direct');
    expect(way(worker('a', 60), [channel('a', { heardAgo: 60 }), channel('a-2', { principal, sinceAgo: 30 })])).toBe('gateway');
  });
});

describe('the name of the token of a worker', () => {
  it('is a valid one, the same each time, and separate for each pool and name', () => {
    const names = [
      worker('a'),
      worker('a', 0, 'q'),
      worker('a b'),
      worker('a-b'),
      worker('ProcessWorker 0199c0de-0000-7000-8000-000000000001'),
      worker('é'),
      worker('x'.repeat(300)),
    ];
    const tokens = names.map(tokenNameOf);
    expect(new Set(tokens).size).toBe(names.length);
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
    expect(names.map(tokenNameOf)).toEqual(tokens);
    expect(tokens[0]).toMatch(/^a-[0-9a-f]{8}$/);
  });
});
