import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { NewRecord } from '../../../contract/record.ts';
import type { UpstreamRequest } from '../../../prefect/client/upstream.ts';
import { createAppend } from '../../ledger/append.ts';
import { createChain } from '../../ledger/chain/chain.ts';
import { openLedgerDatabase, transaction } from '../../ledger/database.ts';
import { tempState } from '../../ledger/lines.fixture.ts';
import { createOutbox } from '../../ledger/outbox.ts';
import { type Announcer, createAnnouncer } from './announcer.ts';
import type { Announcement } from './memory.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
/** On a busy machine each write to the disk may take long. */
const PATIENT = { timeout: 12_000 };
const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
const start: NewRecord = {
  time: '2026-03-01T12:00:00.000Z',
  ...{ request_id: 'r1', principal: 'token:ci', method: 'POST', path: '/api/flow_runs/', action: 'flow_runs.create', decision: 'allow', status: 201 },
  ...{ flow_run_id: RUN, run_binding: 'verified' },
};
const refusal: NewRecord = { ...start, action: 'flow_runs.set_state', decision: 'deny', reason: 'policy-default-deny', status: 403 };

describe('the announcer', () => {
  let paths: StatePaths;
  let remove: () => void;
  let opened: Announcer[];
  beforeEach(() => {
    ({ paths, remove } = tempState());
    opened = [];
    write([]);
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
    remove();
  });

  /** As the gateway writes it: a record and its place in the outbox, in one transaction. */
  function write(records: readonly NewRecord[]): void {
    using db = openLedgerDatabase(paths.ledgerFile);
    const chain = createChain({ db, node: 'n1', keyFile: paths.ledgerKey, clock: () => NOW_MS });
    const append = createAppend(db, 'n1', chain);
    const outbox = createOutbox(db);
    transaction(db, () => {
      for (const record of records) {
        append(record);
        outbox.add();
      }
      outbox.trim();
      chain.seal();
    });
  }

  /** So much later, or earlier, at each look. */
  const going = (stepMs: number, startMs = NOW_MS) => {
    let now = startMs;
    return () => (now += stepMs);
  };

  /** Prefect, which has each event once by its id, and answers with these statuses in turn; undefined: it is away. */
  function open(
    statuses: (number | undefined)[] = [204],
    held = new Map<string, Announcement>(),
    clock = going(5_000),
    toDisk: (file: string) => Promise<void> = async () => undefined,
  ) {
    const posted: Announcement[][] = [];
    const coalesced: string[] = [];
    const steady = going(5_000, 0);
    const request = async ({ body }: UpstreamRequest) => {
      const status = statuses.length > 1 ? statuses.shift() : statuses[0];
      if (status === undefined) throw new Error('away');
      const events: Announcement[] = JSON.parse(String(body));
      posted.push(events);
      if (status < 300) for (const event of events) held.set(event.id, event);
      return { status, headers: {}, body: Buffer.alloc(0), upstreamMs: 1 };
    };
    const announcing = createAnnouncer({
      ...{ ledgerFile: paths.ledgerFile, memoryFile: paths.announced, upstream: () => ({ request }), clock, steady, lookMs: 2, toDisk },
      log: { warn: (_fields: object, text: string) => void coalesced.push(text) } as never,
    });
    opened.push(announcing);
    return { announcing, posted, held, coalesced };
  }
  const many = (count: number, from = 0): NewRecord[] => Array.from({ length: count }, (_, index) => ({ ...start, request_id: `r${from + index}` }));

  it('sends what was written, some at a time, and nothing again', async () => {
    write(many(120));
    const { announcing, posted } = open();
    await expect.poll(() => announcing.status(), PATIENT).toEqual({ sent: 120, dropped: 0 });
    expect(posted.map(({ length }) => length)).toEqual([50, 50, 20]);
    await announcing.close();
    const again = open();
    write(many(1, 120));
    await expect.poll(() => again.announcing.status().sent, PATIENT).toBe(1);
    expect(again.posted.flat()).toMatchObject([{ payload: { request_id: 'r120' } }]);
  });

  it.each([-5_000, 3_600_000])('tries again after a while, and no sooner, where the clock goes by %i ms at each look', async (stepMs) => {
    write(many(1));
    const { announcing, posted } = open([503, 503, 204], new Map(), going(stepMs));
    await expect.poll(() => announcing.status().sent, PATIENT).toBe(1);
    expect(posted).toHaveLength(3);
  });

  it('sends only events whose records are on the disk', async () => {
    write(many(2));
    const order: string[] = [];
    const { announcing, posted } = open([204], new Map(), going(5_000), async (file) => void order.push(`${file} ${posted.length}`));
    await expect.poll(() => announcing.status().sent, PATIENT).toBe(2);
    expect(order).toEqual([`${paths.ledgerFile} 0`]);
  });

  it('loses nothing and doubles nothing when the gateway is killed, whatever was under way', async () => {
    const held = new Map<string, Announcement>();
    write(many(70));
    // Sent, and killed before that was noted: the file is as it was before the answer.
    const first = open([204, undefined], held);
    await expect.poll(() => first.announcing.status().sent, PATIENT).toBe(50);
    const before = JSON.parse(readFileSync(paths.announced, 'utf8'));
    await first.announcing.close();
    const pending = first.posted[0] ?? [];
    writeFileSync(paths.announced, JSON.stringify({ ...before, k: 50, pending }));
    write(many(3, 70));
    const second = open([204], held);
    await expect.poll(() => held.size, PATIENT).toBe(73);
    expect(second.posted[0]).toEqual(pending);
    expect(new Set([...held.values()].map(({ payload }) => payload['request_id'])).size).toBe(73);
  });

  it('continues to count the same refusal after a restart', async () => {
    const at = (second: number): NewRecord => ({ ...refusal, request_id: `r${second}`, time: new Date(NOW_MS + second * 1_000).toISOString() });
    const held = new Map<string, Announcement>();
    write([at(0), at(1), at(2)]);
    const first = open([204], held, going(5_000, NOW_MS - 1e9));
    await expect.poll(() => held.size, PATIENT).toBe(1);
    await first.announcing.close();
    write([at(3), at(70)]);
    open([204], held, going(5_000, NOW_MS - 1e9));
    await expect
      .poll(() => [...held.values()].map(({ payload }) => [payload['request_id'], payload['count']]))
      .toEqual([
        ['r0', 1],
        ['r3', 3],
      ]);
  });

  it('waits for a Prefect that is away, busy or does not know its credential yet', async () => {
    const { announcing, posted } = open([undefined, 503, 429, 401, 204]);
    write(many(60));
    await expect.poll(() => announcing.status(), PATIENT).toEqual({ sent: 60, dropped: 0 });
    // What was not taken is sent again, as it was.
    expect(posted[0]).toEqual(posted[3]);
  });

  it('stores a bounded number of events while Prefect is away for long, and reports how many it dropped', async () => {
    write(many(1));
    const first = open();
    await expect.poll(() => first.announcing.status().sent, PATIENT).toBe(1);
    await first.announcing.close();
    write(many(10_020));
    const { announcing, coalesced } = open();
    await expect.poll(() => announcing.status(), { timeout: 60_000 }).toEqual({ sent: 10_000, dropped: 20 });
    expect(coalesced).toEqual([expect.stringContaining('dropped events')]);
  }, 90_000);

  it('leaves out the event that Prefect rejects, and sends the others', async () => {
    const { announcing, held } = open([422, 422, 204]);
    write(many(20));
    await expect.poll(() => announcing.status(), PATIENT).toEqual({ sent: 19, dropped: 1 });
    expect(held.size).toBe(19);
  });

  it('starts again with another ledger, or an unreadable file, and Prefect still has each event once', async () => {
    const held = new Map<string, Announcement>();
    write(many(5));
    const first = open([204], held);
    await expect.poll(() => held.size, PATIENT).toBe(5);
    await first.announcing.close();
    writeFileSync(paths.announced, '{');
    const second = open([204], held);
    await expect.poll(() => second.announcing.status().sent, PATIENT).toBe(5);
    await second.announcing.close();
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec("DELETE FROM notable; DELETE FROM sqlite_sequence WHERE name = 'notable'");
    write(many(2, 100));
    const third = open([204], held);
    await expect.poll(() => third.announcing.status().sent, PATIENT).toBe(2);
    expect(held.size).toBe(7);
  });
});
