import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../../../prefect/client/upstream.ts';
import { behindMs } from './behind.ts';
import { createCatchUp } from './catch-up.ts';
import { createIntake, type Intake } from './intake.ts';
import { createPages } from './pages.ts';
import { parseEvent, parseTime } from './parse-event.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
const RUN = '0199c0de-0000-7000-8000-000000000001';
const TASK = '0199c0de-0000-7000-8000-000000000002';
const uuid = (number: number): string => `0199c0de-0000-7000-8000-${String(number).padStart(12, '0')}`;

function raw(number: number, occurredMs: number, more: object = {}): Record<string, unknown> {
  return {
    id: uuid(number),
    occurred: new Date(occurredMs).toISOString(),
    event: 'prefect.flow-run.Running',
    resource: { 'prefect.resource.id': `prefect.flow-run.${RUN}`, 'prefect.state-message': 'password=hunter2', 'prefect.state-name': 'Running' },
    related: [],
    payload: { secret: 'hunter2' },
    ...more,
  };
}
const parsed = (number: number, occurredMs: number): PrefectEvent => parseEvent(raw(number, occurredMs)) as PrefectEvent;

describe('parseEvent', () => {
  it('takes the run and its state, and neither payload nor message', () => {
    const related = [
      { 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.resource.role': 'task-run', 'prefect.resource.name': 'child' },
      { 'prefect.resource.id': 'prefect.automation.7', 'prefect.resource.role': 'creator' },
    ];
    const event = parseEvent(raw(1, NOW_MS, { related }));
    expect(event).toMatchObject({ id: uuid(1), flow_run_id: RUN, parent_task_run_id: TASK, task_run_id: null, state_name: 'Running' });
    expect(event?.related.map(({ role }) => role)).toEqual(['task-run', 'creator']);
    expect(JSON.stringify(event)).not.toContain('hunter2');
  });

  it('does not take the task run of a task run for its parent', () => {
    const resource = { 'prefect.resource.id': `prefect.task-run.${TASK}` };
    const related = [{ 'prefect.resource.id': `prefect.flow-run.${RUN}`, 'prefect.resource.role': 'flow-run' }];
    expect(parseEvent(raw(1, NOW_MS, { resource, related }))).toMatchObject({ flow_run_id: RUN, task_run_id: TASK, parent_task_run_id: null });
  });

  it.each([
    null,
    [],
    {},
    raw(1, NOW_MS, { id: 'none' }),
    raw(1, NOW_MS, { occurred: 'today' }),
    raw(1, NOW_MS, { resource: {} }),
    raw(1, NOW_MS, { event: 7 }),
  ])('takes no %j', (value) => expect(parseEvent(value)).toBeUndefined());

  it('cuts names and lists that are too long', () => {
    const resource = { 'prefect.resource.id': `x.${'y'.repeat(9_000)}`, 'prefect.resource.name': 'n'.repeat(9_000) };
    const related = Array.from({ length: 900 }, () => ({ 'prefect.resource.id': 'z' }));
    const event = parseEvent(raw(1, NOW_MS, { resource, related }));
    expect([event?.resource_id.length, event?.resource_name?.length, event?.related.length]).toEqual([500, 500, 100]);
  });

  it('takes microseconds, in UTC', () => {
    expect(parseTime('2026-03-01T13:00:00.1234+01:00')).toBe('2026-03-01T12:00:00.123400Z');
    expect(parseTime('2026-03-01T12:00:00Z')).toBe('2026-03-01T12:00:00.000000Z');
  });
});

let [nowMs, steadyMs] = [NOW_MS, 0];
beforeEach(() => {
  [nowMs, steadyMs] = [NOW_MS, 0];
});
afterEach(() => void vi.useRealTimers());

/** A ledger that takes batches, or refuses them. */
function createStore() {
  const store = {
    batches: [] as (readonly PrefectEvent[])[],
    mark: undefined as EventsMark | undefined,
    works: true,
    ids: () => store.batches.flat().map(({ id }) => id),
    async storeEvents({ events, mark }: { readonly events: readonly PrefectEvent[]; readonly mark: EventsMark }) {
      if (!store.works) throw new Error('disk full');
      if (events.length > 0) store.batches.push(events);
      store.mark = mark;
    },
  };
  return store;
}

function openIntake(store: ReturnType<typeof createStore>, mark?: EventsMark): Intake {
  return createIntake({ ledger: store, clock: () => nowMs, steady: () => steadyMs, mark, flushMs: 5 });
}

describe('the intake', () => {
  it('stores each event once, in batches', async () => {
    const store = createStore();
    const intake = openIntake(store);
    for (let round = 0; round < 2; round++) await intake.take(Array.from({ length: 450 }, (_, index) => parsed(index, NOW_MS)));
    await intake.stored();
    expect(store.ids()).toHaveLength(450);
    expect(Math.max(...store.batches.map(({ length }) => length))).toBeLessThanOrEqual(200);
    await intake.close();
  });

  it.each([-3_600_000, 3_600_000])('writes an unchanged mark every ten seconds, and no sooner, where the clock is put by %i ms', async (putMs) => {
    const store = createStore();
    const written: string[] = [];
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const intake = openIntake({ ...store, storeEvents: async ({ mark }) => void written.push(mark.at) });
    await vi.advanceTimersByTimeAsync(50);
    nowMs += putMs;
    steadyMs = 9_999;
    await vi.advanceTimersByTimeAsync(50);
    expect(written).toEqual([new Date(NOW_MS).toISOString()]);
    steadyMs = 10_000;
    await vi.advanceTimersByTimeAsync(50);
    expect(written).toEqual([new Date(NOW_MS).toISOString(), new Date(nowMs).toISOString()]);
    await intake.close();
  });

  it('holds events that the ledger did not accept, in bounded memory', async () => {
    const store = createStore();
    store.works = false;
    const intake = openIntake(store);
    for (let index = 0; index < 3_000; index++) intake.offer(parsed(index, NOW_MS));
    expect(intake.status()).toMatchObject({ waiting: 2_000, dropped: 1_000, stored: 0 });
    // What was dropped is not taken for known: it is asked for again.
    expect(intake.known(NOW_MS, NOW_MS)).toBe(2_000);
    store.works = true;
    await intake.stored();
    expect(new Set(store.ids()).size).toBe(2_000);
    await intake.close();
  });

  it('says where it is before and after, and never goes back', async () => {
    const store = createStore();
    const mark = { position: '2026-03-01T11:00:00.000Z', at: '2026-03-01T11:00:00.000Z', streams: 1, servers: 1, problem: null };
    const intake = openIntake(store, mark);
    expect(intake.positionMs()).toBe(Date.parse(mark.position));
    intake.advance(NOW_MS - 1_000);
    intake.advance(NOW_MS - 5_000);
    await intake.close();
    expect(store.mark?.position).toBe('2026-03-01T11:59:59.000Z');
  });

  it('is behind when nothing comes', () => {
    expect(behindMs({ position: new Date(NOW_MS - 20_000).toISOString() }, NOW_MS)).toBe(0);
    expect(behindMs({ position: new Date(NOW_MS - 85_000).toISOString() }, NOW_MS)).toBe(60_000);
  });
});

/** Prefect's `POST /events/filter`, with what it holds. */
function createPrefect(held: Record<string, unknown>[]) {
  const asked: { readonly limit: number; readonly page: boolean }[] = [];
  const answer = (body: object): UpstreamAnswer => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)), upstreamMs: 1 });
  let question: { readonly since: number; readonly until: number } = { since: 0, until: 0 };
  return {
    asked,
    async request({ path, query, body }: UpstreamRequest) {
      const next = path.endsWith('/next');
      const offset = next ? Number(Buffer.from(decodeURIComponent(query?.slice('page-token='.length) ?? ''), 'base64').toString()) : 0;
      const { limit, filter } = next ? { limit: 50, filter: undefined } : JSON.parse(String(body));
      if (filter !== undefined) question = { since: Date.parse(filter.occurred.since), until: Date.parse(filter.occurred.until) };
      asked.push({ limit, page: limit > 1 });
      const at = (event: Record<string, unknown>) => Date.parse(String(event['occurred']));
      const all = held.filter((event) => at(event) >= question.since && at(event) <= question.until).sort((a, b) => at(a) - at(b));
      const more = limit > 1 && offset + limit < all.length;
      const token = Buffer.from(String(offset + limit)).toString('base64');
      return answer({
        events: all.slice(offset, offset + limit),
        total: all.length,
        next_page: more ? `http://inside:4200/api/events/filter/next?page-token=${token}` : null,
      });
    },
  };
}

describe('the parents of sub-flows', () => {
  it('are asked for until Prefect answers, and stored with their flow run', async () => {
    const store = createStore();
    const intake = openIntake(store);
    const related = [{ 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.resource.role': 'task-run' }];
    await intake.take([1, 2].map((number) => parseEvent(raw(number, NOW_MS, { related })) as PrefectEvent));
    const asked: string[] = [];
    const answers = [undefined, uuid(77)];
    const ask = async (task: string) => {
      asked.push(task);
      return answers.shift();
    };
    for (let round = 0; round < 3; round++) await intake.parents.learn(ask, intake.take);
    await intake.stored();
    expect(asked).toEqual([TASK, TASK]);
    expect(store.batches.flat().at(-1)).toMatchObject({ resource_id: `prefect.task-run.${TASK}`, task_run_id: TASK, flow_run_id: uuid(77) });
    await intake.close();
  });
});

describe('the catch-up', () => {
  const SIGNAL = new AbortController().signal;
  function open(held: Record<string, unknown>[], mark?: EventsMark) {
    const store = createStore();
    const intake = openIntake(store, mark);
    const prefect = createPrefect(held);
    return { store, intake, prefect, catchUp: createCatchUp({ pages: createPages(prefect, SIGNAL), intake, clock: () => nowMs, settleMs: 0 }) };
  }

  it('reads everything by pages, and nothing again', async () => {
    const { store, intake, prefect, catchUp } = open(Array.from({ length: 175 }, (_, index) => raw(index, NOW_MS - 300 * (index + 1))));
    await catchUp();
    expect(new Set(store.ids()).size).toBe(175);
    expect(store.ids()).toHaveLength(175);
    expect(intake.positionMs()).toBe(NOW_MS);
    prefect.asked.length = 0;
    await catchUp();
    expect(prefect.asked).toEqual([{ limit: 1, page: false }]);
    await intake.close();
  });

  it('finds what a stream has dropped', async () => {
    const held = Array.from({ length: 20 }, (_, index) => raw(index, NOW_MS - 1_000 * (index + 1)));
    const { store, intake, catchUp } = open(held);
    await catchUp();
    held.push(raw(99, NOW_MS - 4_500));
    await catchUp();
    expect(store.ids()).toContain(uuid(99));
    await intake.close();
  });

  it('reads whole what is in doubt: a stream may have brought what Prefect never wrote down', async () => {
    const held = [raw(1, NOW_MS - 5_000), raw(2, NOW_MS - 4_000)];
    const { store, intake, catchUp } = open(held);
    await catchUp();
    // One lost on the way, another lost by Prefect: the numbers agree.
    held.push(raw(3, NOW_MS - 3_000));
    intake.offer(parsed(4, NOW_MS - 3_000));
    await catchUp();
    expect(store.ids()).not.toContain(uuid(3));
    await catchUp({ fromMs: NOW_MS - 10_000, untilMs: NOW_MS });
    expect(store.ids()).toContain(uuid(3));
    await intake.close();
  });

  it('cuts a long time in pieces, each of a bounded question', async () => {
    const held = Array.from({ length: 5_000 }, (_, index) => raw(index, NOW_MS - 700 * index));
    const mark = { position: new Date(NOW_MS - 3_600_000).toISOString(), at: new Date(NOW_MS).toISOString(), streams: 0, servers: 1, problem: null };
    const { store, intake, prefect, catchUp } = open(held, mark);
    await catchUp();
    expect(new Set(store.ids()).size).toBe(5_000);
    expect(prefect.asked.filter(({ page }) => page).length).toBeLessThan(130);
    await intake.close();
  });

  it('finds what a stream has dropped in a flood, and after an event from years ahead', async () => {
    const { store, intake, catchUp } = open([raw(1, NOW_MS - 45_000), raw(2, NOW_MS - 1_000)]);
    const one = parsed(3, NOW_MS + 9 * 365 * 24 * 3_600_000);
    await intake.take([one]);
    // More than it can remember: the first ones are forgotten, and the numbers say nothing about that time.
    await intake.take(Array.from({ length: 51_000 }, (_, index) => ({ ...one, id: uuid(10_000 + index), occurred: new Date(NOW_MS - 30_000).toISOString() })));
    expect(intake.knownSinceMs()).toBeLessThan(NOW_MS);
    await catchUp();
    expect(store.ids()).toEqual(expect.arrayContaining([uuid(1), uuid(2)]));
    expect(intake.positionMs()).toBe(NOW_MS);
    await intake.close();
  });

  it('begins a minute before a gateway that never looked', async () => {
    const { store, intake, catchUp } = open([raw(1, NOW_MS - 59_000), raw(2, NOW_MS - 61_000)]);
    await catchUp();
    expect(store.ids()).toEqual([uuid(1)]);
    await intake.close();
  });

  it('continues from its position, with an overlap', async () => {
    const mark = { position: new Date(NOW_MS - 60_000).toISOString(), at: new Date(NOW_MS).toISOString(), streams: 0, servers: 1, problem: null };
    const { store, intake, catchUp } = open([raw(1, NOW_MS - 90_000), raw(2, NOW_MS - 3_000_000)], mark);
    await catchUp();
    expect(store.ids()).toEqual([uuid(1)]);
    await intake.close();
  });

  it('asks again for what the clock had leapt over when it is put back, and only then', async () => {
    const held: Record<string, unknown>[] = [];
    const { store, intake, prefect, catchUp } = open(held);
    nowMs += 24 * 3_600_000;
    await catchUp();
    nowMs += 5_000;
    prefect.asked.length = 0;
    await catchUp();
    expect(prefect.asked).toHaveLength(1);
    nowMs = NOW_MS + 60_000;
    held.push(raw(1, NOW_MS + 30_000));
    await catchUp();
    expect(store.ids()).toEqual([uuid(1)]);
    expect(intake.positionMs()).toBe(nowMs);
    await intake.close();
  });

  it('stays where it is while Prefect gives no answer', async () => {
    const { intake, prefect, catchUp } = open([]);
    const before = intake.positionMs();
    prefect.request = async () => ({ status: 503, headers: {}, body: Buffer.from(''), upstreamMs: 1 });
    await expect(catchUp()).rejects.toThrow('Prefect answered 503');
    expect(intake.positionMs()).toBe(before);
    await intake.close();
  });
});
