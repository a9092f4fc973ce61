// Pages of a timeline, what was written since, and the runs that were seen last.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { NewRecord } from '../../../contract/record.ts';
import { appendRecord } from '../../ledger/append-record.ts';
import { tempState } from '../../ledger/lines.fixture.ts';
import { flowRunEvent, uuid, writeEvents } from '../../ledger/prefect-events/event.fixture.ts';
import { openLedgerReader } from '../../ledger/query.ts';
import { gatherTimeline } from '../gather.ts';
import { noPrefect, type PrefectSource } from '../prefect-source.ts';
import { at, prefectRun } from '../timeline.fixture.ts';
import { flatten } from '../timeline.ts';
import { parseCursor } from './cursor.ts';
import type { TimelinePage } from './head.ts';
import { createRunPages, type RunPages } from './pages.ts';
import { rowOf } from './row.ts';

const RUN = uuid(1);
const CHILD = uuid(2);
const TASK = uuid(50);
const AWAY = noPrefect('away');

let paths: StatePaths;
let remove: () => void;
let pages: RunPages;
let written: number;
beforeEach(() => {
  ({ paths, remove } = tempState());
  pages = createRunPages(paths);
  written = 0;
});
afterEach(async () => {
  await pages.close();
  remove();
});

function add(seconds: number, more: Partial<NewRecord> = {}): void {
  written += 1;
  appendRecord(paths, {
    ...{ time: at(seconds), request_id: `r${written}`, principal: 'token:worker', method: 'GET', path: '/api/x', action: 'flow_runs.read' },
    ...{ decision: 'allow', status: 200, path_taken: 'direct', flow_run_id: RUN, run_binding: 'verified', ...more },
  });
}

const creation = {
  method: 'POST',
  path: '/api/deployments/d/create_flow_run',
  action: 'deployments.run',
  principal: 'alice@local',
  status: 201,
  path_taken: 'mediated',
} as const;

/** A run with two states, a task, and a nested run with its own requests. */
function fill(): void {
  add(0, creation);
  for (const seconds of [1, 1, 1, 2, 4]) add(seconds);
  add(3, { decision: 'deny', status: 403, reason: 'policy-default-deny', method: 'POST' });
  add(3, { flow_run_id: CHILD });
  writeEvents(paths, [
    flowRunEvent(20, 1, { occurred: '2026-03-01T12:00:01.000000Z', id: uuid(90) }),
    taskEvent(60, 'Running', '2026-03-01T12:00:02.000000Z'),
    flowRunEvent(21, 2, { occurred: '2026-03-01T12:00:02.500000Z', parent_task_run_id: TASK, resource_name: 'below', id: uuid(91) }),
  ]);
}

function taskEvent(id: number, state: string, occurred: string) {
  const task = { resource_id: `prefect.task-run.${TASK}`, task_run_id: TASK, resource_name: 'work-0' };
  return flowRunEvent(id, 1, { ...task, event: `prefect.task-run.${state}`, state_name: state, state_type: state.toUpperCase(), occurred });
}

const ask = (cursor?: string, most = 5000, prefect: PrefectSource = AWAY): Promise<TimelinePage> =>
  pages.timeline({ run: RUN, seesNames: true, most, cursor: cursor === undefined ? undefined : parseCursor(cursor) }, prefect, 'alice');

async function allPages(most: number, prefect = AWAY): Promise<readonly TimelinePage[]> {
  const all = [await ask(undefined, most, prefect)];
  for (let next = all[0]?.next ?? null; next !== null; next = all.at(-1)?.next ?? null) all.push(await ask(next, most, prefect));
  return all;
}

async function printed(prefect = AWAY) {
  const reader = openLedgerReader(paths.ledgerFile);
  try {
    const { timeline } = await gatherTimeline({ reader, prefect }, RUN);
    return flatten(timeline).map((entry) => rowOf(entry, true));
  } finally {
    reader.close();
  }
}

describe('the pages of a timeline', () => {
  it.each([1, 2, 3, 5000])('of %i rows are the rows that lictor timeline prints, in its order', async (most) => {
    fill();
    const found = await allPages(most);
    expect(found.flatMap(({ rows }) => rows)).toEqual(await printed());
    expect(found.every(({ rows }) => rows.length <= most)).toBe(true);
    expect(found.map(({ run }) => run?.started_by.principal)).toEqual(found.map(() => 'alice@local'));
  });

  it('have the words of Prefect, which the thread asks by its owner', async () => {
    fill();
    const failed = { id: 's1', type: 'FAILED', name: 'Failed', message: 'the cart is empty', timestamp: at(9) };
    const prefect = { ...AWAY, run: async (id: string) => ({ found: 'yes', run: { ...prefectRun(), id }, states: id === RUN ? [failed] : [] }) as const };
    const rows = (await allPages(4, prefect)).flatMap((page) => page.rows);
    expect(rows).toEqual(await printed(prefect));
    expect(rows.at(-1)).toMatchObject({ kind: 'state', what: 'Failed', message: 'the cart is empty' });
  });

  it('do without Prefect when it does not answer in time', async () => {
    fill();
    const slow = createRunPages({ ...paths, prefectMs: 1 });
    const never = new Promise<never>(() => undefined);
    const page = await slow.timeline(
      { run: RUN, seesNames: true, most: 10, cursor: undefined },
      { run: () => never, childrenOf: () => never, flowRunOfTask: () => never },
      'alice',
    );
    await slow.close();
    expect(page).toMatchObject({ run: { prefect: 'unknown', name: 'fuzzy-otter' } });
    expect(page.rows.length).toBeGreaterThan(5);
  });

  it('name lanes, bindings, the nested run and what is routine', async () => {
    fill();
    add(5, { run_binding: 'asserted', service: 'billing', path: '/.lictor/svc/billing/v1/cards', action: 'service.call', method: 'POST' });
    add(6, {
      approval_id: 'a1',
      decision: 'deny',
      method: 'POST',
      action: 'deployments.run',
      principal: 'agent:helper',
      principal_kind: 'agent',
      on_behalf_of: ['alice@local'],
    });
    const { rows } = await ask();
    const byLane = (lane: string) => rows.filter((row) => row.lane === lane);
    expect(byLane('who')).toMatchObject([{ principal: 'alice@local', what: 'deployments.run', routine: false, binding: 'verified' }]);
    expect(byLane('decision')).toMatchObject([{ decision: 'deny', reason: 'policy-default-deny' }]);
    expect(byLane('service')).toMatchObject([{ what: 'billing POST /v1/cards', binding: 'asserted' }]);
    expect(byLane('approval')).toMatchObject([{ principal: 'agent:helper', on_behalf_of: ['alice@local'] }]);
    expect(byLane('run')).toMatchObject([{ what: 'below', object_id: CHILD, depth: 0, flow_run_id: RUN }]);
    expect(byLane('task')).toMatchObject([{ what: 'work-0', state: 'Running', duration_ms: null }]);
    expect(rows.filter(({ depth }) => depth === 1).map(({ kind, flow_run_id }) => [kind, flow_run_id])).toEqual([
      ['state', CHILD],
      ['request', CHILD],
    ]);
    expect(byLane('request').every(({ routine }) => routine)).toBe(true);
  });

  it('have no name for a reader who may not see names', async () => {
    fill();
    const page = await pages.timeline({ run: RUN, seesNames: false, most: 100, cursor: undefined }, AWAY, 'alice');
    expect(JSON.stringify(page)).not.toMatch(/fuzzy-otter|work-0|below/);
    expect(page.rows).toHaveLength((await printed()).length);
    const byName = (run: string) => pages.timeline({ run, seesNames: false, most: 1, cursor: undefined }, AWAY, 'alice');
    expect((await byName('fuzzy-otter')).run).toMatchObject({ id: RUN, name: null });
    await expect(byName('fuzzy-ott')).rejects.toMatchObject({ code: 'name-unknown' });
  });

  it('are none for a run that nothing is known about', async () => {
    fill();
    await expect(pages.timeline({ run: uuid(77), seesNames: true, most: 1, cursor: undefined }, AWAY, 'alice')).rejects.toMatchObject({ code: 'run-unknown' });
  });
});

it('the head says who cancelled the run, also when it ran again, and when that comes later', async () => {
  fill();
  const { run, live } = await ask();
  expect(run?.cancelled_by).toBeNull();
  add(5, { method: 'POST', action: 'flow_runs.cancel', principal: 'bob@local', principal_kind: 'user', status: 201, policies: ['operator'] });
  add(6, { method: 'POST', action: 'flow_runs.retry', principal: 'alice@local', principal_kind: 'user', status: 201 });
  const cancelled = { principal: 'bob@local', time: at(5), decision: 'allow', policies: ['operator'] };
  expect((await ask(live)).run?.cancelled_by).toMatchObject(cancelled);
  expect((await ask()).run?.cancelled_by).toMatchObject(cancelled);
});

describe('what was written since', () => {
  it('comes once, also with an earlier time, and a changed row comes again with its key', async () => {
    fill();
    const first = await ask();
    expect(await ask(first.live)).toMatchObject({ run: null, rows: [], next: null });
    add(2.2);
    add(7, { flow_run_id: CHILD, method: 'POST' });
    writeEvents(paths, [taskEvent(61, 'Completed', '2026-03-01T12:00:08.000000Z')]);
    const since = await ask(first.live);
    expect(since.rows.flatMap(({ record_id, time }) => (record_id === null ? [] : [time]))).toEqual([at(2.2), at(7)]);
    expect(since.rows.find(({ kind }) => kind === 'task')).toMatchObject({ key: `task:${TASK}`, state: 'Completed', duration_ms: 6000 });
    const merged = new Map([...first.rows, ...since.rows].map((row) => [row.key, row]));
    const whole = new Map((await printed()).map((row) => [row.key, row]));
    expect(merged).toEqual(whole);
    expect((await ask(since.live)).rows).toEqual([]);
  });

  it('comes in bounded answers', async () => {
    fill();
    const { live } = await ask();
    for (let i = 0; i < 5; i += 1) add(10 + i);
    const times: string[] = [];
    let cursor: string | null = live;
    for (let answers = 0; cursor !== null; answers += 1) {
      const page: TimelinePage = await ask(cursor, 2);
      times.push(...page.rows.flatMap(({ record_id, time }) => (record_id === null ? [] : [time])));
      expect(answers).toBeLessThan(4);
      cursor = page.next;
    }
    expect(times).toEqual([10, 11, 12, 13, 14].map(at));
  });

  it('contains a nested run that began meanwhile', async () => {
    add(0, creation);
    writeEvents(paths, [taskEvent(60, 'Running', '2026-03-01T12:00:02.000000Z')]);
    const { live } = await ask();
    writeEvents(paths, [flowRunEvent(21, 2, { parent_task_run_id: TASK, resource_name: 'below', id: uuid(91) })]);
    expect((await ask(live)).rows).toMatchObject([
      { kind: 'run', what: 'below', depth: 0, flow_run_id: RUN, object_id: CHILD },
      { kind: 'state', depth: 1, flow_run_id: CHILD },
    ]);
  });
});

describe('the runs seen last', () => {
  const QUESTION = { before: '9', text: '', byName: true, most: 50, seesNames: true, named: null, state: '' };
  const recent = (more = {}) => pages.recent({ ...QUESTION, ...more }, 'alice');

  it('stand at their newest state, the newest first, each with who started it', async () => {
    add(0, creation);
    writeEvents(paths, [
      flowRunEvent(20, 1, { occurred: '2026-03-01T12:00:01.000000Z' }),
      flowRunEvent(21, 2, { occurred: '2026-03-01T12:00:02.000000Z', resource_name: 'quiet-owl' }),
      flowRunEvent(22, 1, { occurred: '2026-03-01T12:00:03.000000Z', state_name: 'Completed', state_type: 'COMPLETED' }),
      taskEvent(60, 'Running', '2026-03-01T12:00:04.000000Z'),
    ]);
    const { runs, before } = await recent();
    expect(before).toBeNull();
    expect(runs).toMatchObject([
      { id: RUN, name: 'fuzzy-otter', state: 'Completed', principal: 'alice@local', route: 'request', seen_at: at(3), flow: 'Grüße "quoted"' },
      { id: CHILD, name: 'quiet-owl', state: 'Running', principal: null },
    ]);
    expect((await recent({ text: 'OWL' })).runs).toMatchObject([{ id: CHILD }]);
    expect((await recent({ text: RUN.slice(0, 36) })).runs).toMatchObject([{ id: RUN }]);
    expect((await recent({ text: 'owl', byName: false })).runs).toEqual([]);
    expect(JSON.stringify(await recent({ seesNames: false }))).not.toMatch(/otter|owl|Grüße/);
  });

  it('are found by an exact name, without names, and without a trace in what the page says of the next one', async () => {
    const ofRun = (event: number, run: number, more = {}) => flowRunEvent(event, run, { occurred: `2026-03-01T12:00:0${event - 20}.000000Z`, ...more });
    const [cancelled, failed] = [
      { state_name: 'Cancelled', state_type: 'CANCELLED' },
      { state_name: 'Failed', state_type: 'FAILED' },
    ];
    writeEvents(paths, [
      ofRun(21, 1),
      ofRun(22, 1, cancelled),
      ofRun(23, 3, { resource_name: 'quiet-owl' }),
      ofRun(24, 3, { ...failed, resource_name: 'quiet-owl' }),
    ]);
    add(2, { action: 'flow_runs.cancel', principal: 'bob@local', policies: ['operator'], status: 201 });
    const find = async (name: string, more = {}) => await recent({ text: name, named: name, byName: false, seesNames: false, most: 1, ...more });
    expect(await find('fuzzy-otter')).toMatchObject({
      runs: [{ id: RUN, name: null, state_type: 'CANCELLED', cancelled_by: { principal: 'bob@local', policies: ['operator'] } }],
      before: null,
    });
    const parts = ['fuzzy', 'Fuzzy-Otter', 'otter', 'fuzzy-otter2'];
    for (const part of parts) expect(await find(part)).toEqual({ runs: [], before: null });
    // An id of a run in the name of another: the page is the same, with or without a run of this name.
    const [of, none] = [await recent({ most: 1, named: 'quiet-owl' }), await recent({ most: 1, named: 'no-owl' })];
    expect([of.before, of.runs.map(({ id }) => id)]).toEqual([none.before, [uuid(3)]]);
    expect((await recent({ state: 'FAILED' })).runs.map(({ id }) => id)).toEqual([uuid(3)]);
    expect([(await find('quiet-owl', { state: 'FAILED' })).runs.length, (await find('quiet-owl', { state: 'RUNNING' })).runs.length]).toEqual([1, 0]);
  });

  it('come in pages, also those of one time', async () => {
    const events = [1, 2, 3, 4, 5].map((run) => flowRunEvent(20 + run, run, { occurred: `2026-03-01T12:00:0${run > 3 ? 2 : 1}.000000Z` }));
    writeEvents(paths, events);
    const ids: string[] = [];
    for (let before: string | null = '9'; before !== null; ) {
      const page: Awaited<ReturnType<typeof recent>> = await recent({ before, most: 3 });
      ids.push(...page.runs.map(({ id }) => id));
      before = page.before;
    }
    expect(ids.toSorted()).toEqual([1, 2, 3, 4, 5].map(uuid));
  });

  it('say nothing to a reader with limits of the number and the times of other runs', async () => {
    const at2 = (run: number, second: number) => flowRunEvent(20 + run, run, { occurred: `2026-03-01T12:00:0${second}.000000Z` });
    writeEvents(paths, [at2(1, 1), at2(2, 2), at2(3, 3), at2(4, 3), at2(5, 4), ...[5, 6, 7, 8, 9].map((second) => at2(second + 1, second))]);
    const own = (ids: readonly string[], more = {}) => {
      const seeing = async (asked: readonly string[]) => new Set(asked.filter((id) => ids.includes(id)));
      return pages.recent({ ...QUESTION, ...more }, 'alice', seeing);
    };
    const short = ({ runs, before }: Awaited<ReturnType<typeof own>>) => [runs.map(({ id }) => id), before];
    expect(short(await own([uuid(1)], { most: 1 }))).toEqual([[uuid(1)], null]);
    expect(short(await own([], { most: 1 }))).toEqual([[], null]);
    expect(short(await own([], { most: 1, text: uuid(3).slice(0, 8) }))).toEqual([[], null]);
    expect(short(await own([], { named: 'fuzzy-otter' }))).toEqual([[], null]);
    // Its own runs come in pages, also those of one time.
    const some = [1, 3, 4, 5].map(uuid);
    const sizes: number[] = [];
    const ids: string[] = [];
    for (let before: string | null = '9'; before !== null; ) {
      const page: Awaited<ReturnType<typeof own>> = await own(some, { before, most: 1 });
      sizes.push(page.runs.length);
      ids.push(...page.runs.map(({ id }) => id));
      before = page.before;
    }
    expect([sizes, ids.toSorted()]).toEqual([[1, 2, 1], some]);
    await expect(pages.recent(QUESTION, 'alice', () => Promise.reject(new Error('away')))).rejects.toThrow(
      expect.objectContaining({ code: 'objects-unknown' }),
    );
  });

  it('come from the records where no event is stored', async () => {
    add(0, creation);
    add(1, { flow_run_id: CHILD });
    add(2);
    add(3, { flow_run_id: uuid(3), run_binding: 'asserted' });
    expect((await recent()).runs).toMatchObject([
      { id: RUN, name: null, principal: 'alice@local', seen_at: at(2) },
      { id: CHILD, state: null, seen_at: at(1) },
    ]);
  });
});
