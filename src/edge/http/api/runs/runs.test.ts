// Timelines and recent runs over HTTP: who may read them, what a reader with limits sees, and what a faulty question gets.
import { beforeEach, describe, expect, it } from 'vitest';
import { LictorError } from '../../../../contract/error.ts';
import { INPUT } from '../../../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import { NOWHERE, type Scope } from '../../../../contract/scope.ts';
import { createTokenId, createTokenText, hashToken } from '../../../../identity/authn/service-token/token-text.ts';
import type { TimelinePage } from '../../../../record/timeline/pages/head.ts';
import type { TimelineQuestion } from '../../../../record/timeline/pages/page.ts';
import type { RecentQuestion, RecentRun, Seeing } from '../../../../record/timeline/pages/recent.ts';
import { rowOf, type TimelineRow } from '../../../../record/timeline/pages/row.ts';
import { findStart } from '../../../../record/timeline/start.ts';
import { at, creation, RUN, record } from '../../../../record/timeline/timeline.fixture.ts';
import { useOwnApp } from '../../own-app.fixture.ts';
import { isReadable } from './sight.ts';

const { get, ask } = useOwnApp();
const BASE = '/.lictor/api/v1';
const OTHER = '0199c0de-0000-7000-8000-000000000002';
const TEAM: Scope = { ...NOWHERE, tags: ['team-a'] };

const row = (more: Partial<TimelineRow> = {}): TimelineRow => ({
  ...rowOf({ entry: { kind: 'request', time: at(0), record: record(0) }, depth: 0, flowRunId: RUN }, true),
  ...more,
});
const start = findStart({ run: null, records: [creation(0)] });
const parent = { flow_run_id: OTHER, name: 'foreign-name', start };
const started_by = { ...start, parent, by: { id: 'a1', name: 'foreign-automation', made_by: 'mallory@local' } };
const cancelled_by = {
  ...{ record_id: 'id-9', request_id: 'q9', time: at(1), principal: 'bob@local', on_behalf_of: [], source_ip: null },
  ...{ decision: 'allow' as const, reason: 'policy-permits', policies: ['operator'] },
};
const head = { id: RUN, name: 'fuzzy-otter', state: 'Running', started_by, cancelled_by, prefect: 'yes' as const, first_at: at(0), last_at: at(1) };
const page: TimelinePage = {
  run: head,
  rows: [
    row({ key: 'own' }),
    row({ key: 'claimed', binding: 'asserted', principal: 'mallory@local' }),
    row({ key: 'nested', kind: 'run', lane: 'run', object_id: OTHER, what: 'foreign-name' }),
    row({ key: 'below', flow_run_id: OTHER, depth: 1 }),
    row({ key: 'gateway', kind: 'gateway', lane: 'gateway' }),
    row({ key: 'other-event', kind: 'event', lane: 'event', object_id: 'prefect.automation.1', what: 'automation.triggered foreign-name' }),
    row({ key: 'worker', kind: 'event', lane: 'worker', object_id: 'prefect.worker.w' }),
  ],
  next: null,
  live: 'live,1,2',
};
const run = (id: string): RecentRun => ({
  ...{ id, name: `name-${id}`, deployment_id: null, deployment: null, flow: null, state: 'Running', state_type: 'RUNNING', seen_at: at(0) },
  ...{ route: 'request', principal: 'alice@local', on_behalf_of: [], cancelled_by: null },
});

async function seenOnly(ids: readonly string[], seeing: Seeing | undefined): Promise<RecentRun[]> {
  const seen = (await seeing?.(ids)) ?? new Set(ids);
  return ids.filter((id) => seen.has(id)).map(run);
}

let asked: (TimelineQuestion | RecentQuestion)[];
beforeEach(() => {
  asked = [];
  get().runPages = {
    timeline: async (question, _prefect, principal) => {
      asked.push(question);
      get().askers.push(principal);
      return page;
    },
    recent: async (question, principal, seeing) => {
      asked.push(question);
      get().askers.push(principal);
      return { runs: await seenOnly([RUN, OTHER], seeing), before: at(0) };
    },
  };
});

async function send(role: string, path: string, scope: Scope | null = null) {
  const { id, text } = createTokenText(createTokenId());
  const roles = role.split(',');
  await get().test.store.tokens.create({ id, name: `${roles.join('-')}-${id}`, roles, scope, cidrs: [], lifetimeMs: null, hash: hashToken(text) });
  return ask(`${BASE}${path}`, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
}

describe('who reads', () => {
  it.each(BUILT_IN_ROLES.flatMap((role) => [`/timeline/${RUN}`, '/runs'].map((path) => [role, path] as const)))('%s %s', async (role, path) => {
    get().covered = [RUN, OTHER];
    const may = ['auditor', 'admin', 'operator', 'deployer'].includes(role);
    const answer = await send(role, path);
    expect([answer.statusCode, asked.length, answer.body.includes(RUN)]).toEqual([may ? 200 : 403, may ? 1 : 0, may]);
    expect(get().records).toMatchObject([{ action: 'ledger.read', decision: may ? 'allow' : 'deny', status: may ? 200 : 403 }]);
    expect(get().askers).toEqual(may ? get().records.map(({ principal }) => principal) : []);
  });

  it('nobody without a credential', async () => {
    for (const path of [`/timeline/${RUN}`, '/runs']) expect((await ask(`${BASE}${path}`)).statusCode).toBe(401);
    expect(asked).toEqual([]);
  });
});

describe('a reader of everything', () => {
  it('gets the page as it is, from a place, with a size', async () => {
    const answer = await send('admin', `/timeline/${RUN}?cursor=page,${at(1)},2,7,8&limit=30`);
    expect(answer.json()).toEqual({ ...page, run: { ...head, readable: true } });
    const cursor = { kind: 'page', time: at(1), skip: 2, marks: { record: 7, event: 8 } };
    expect(asked).toEqual([{ run: RUN, seesNames: true, most: 30, cursor }]);
  });

  it('sees whether Prefect shows the run to it', async () => {
    const readable = async (roles: string, scope: Scope | null = null) => (await send(roles, `/timeline/${RUN}`, scope)).json().run?.readable;
    expect([await readable('auditor'), await readable('auditor,viewer')]).toEqual([false, true]);
    get().covered = [RUN];
    expect([await readable('auditor', TEAM), await readable('operator', TEAM)]).toEqual([false, true]);
    // An auditor of everything who is a viewer of a team; then Prefect does not answer.
    const restrictions = [{ principalId: 'alice@local', scopes: [TEAM] }];
    const isSeen = (covered: () => Promise<ReadonlySet<string>>) =>
      isReadable(
        { inputs: {}, parts: { decider: { authorizeOwnList: async () => ({ ok: true, restrictions }) }, coveredObjects: () => covered } } as never,
        RUN,
      );
    expect([await isSeen(async () => new Set([RUN])), await isSeen(async () => new Set([OTHER]))]).toEqual([true, false]);
    expect(await isSeen(() => Promise.reject(new LictorError('objects-unknown', 'of a test')))).toBe(false);
  });

  it('sees names only with the right to read runs', async () => {
    await send('auditor', `/timeline/${RUN}`);
    await send('auditor,viewer', '/runs?text=otter');
    await send('auditor', '/runs?text=otter&state=FAILED');
    await send('auditor', `/runs?text=otter&before=${at(1)}`);
    expect(asked).toMatchObject([
      { seesNames: false },
      { seesNames: true, byName: true, named: null },
      { seesNames: false, byName: false, named: 'otter', state: 'FAILED' },
      { seesNames: false, byName: false, named: null },
    ]);
  });

  it.each([`/timeline/${RUN}?cursor=live,1`, `/timeline/${RUN}?limit=5001`, `/timeline/${RUN}?limits=1`, '/runs?limit=0', '/runs?before=;'])(
    'that asks %s gets an error',
    async (path) => {
      const answer = await send('admin', path);
      expect([answer.statusCode, answer.json().code, asked.length]).toEqual([400, 'request-invalid', 0]);
    },
  );

  it.each([
    ['run-unknown', 404, 'not-found'],
    ['name-unknown', 404, 'not-found'],
    ['search-too-long', 503, 'gateway-unavailable'],
    ['ledger-missing', 503, 'gateway-unavailable'],
  ])('hears of %s by %i', async (thrown, status, code) => {
    const fail = () => Promise.reject(new LictorError(thrown, 'of a test'));
    get().runPages = { timeline: fail, recent: fail };
    const answer = await send('admin', `/timeline/${RUN}`);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  });
});

describe('a reader with a scope', () => {
  const keys = (body: TimelinePage) => body.rows.map(({ key }) => key);

  it('sees its own runs, and no request that only claims them', async () => {
    get().covered = [RUN];
    const answer = await send('operator', `/timeline/${RUN}`, TEAM);
    expect(keys(answer.json())).toEqual(['own', 'worker']);
    expect(answer.json().run.started_by).toMatchObject({ principal: 'alice@local', parent: null, by: null });
    expect(answer.body).not.toMatch(/mallory|foreign/);
    expect(asked).toMatchObject([{ seesNames: true }]);
  });

  it('sees a nested run that is its own too', async () => {
    get().covered = [RUN, OTHER];
    const answer = await send('operator', `/timeline/${RUN}`, TEAM);
    expect(keys(answer.json())).toEqual(['own', 'nested', 'below', 'worker']);
    expect(answer.json().run.started_by.parent).toMatchObject({ flow_run_id: OTHER });
  });

  it('finds no run of others, by id or by name', async () => {
    get().covered = [OTHER];
    for (const id of [RUN, 'fuzzy-otter']) {
      const answer = await send('operator', `/timeline/${id}`, TEAM);
      expect([answer.statusCode, answer.json().code, answer.body.includes('alice')]).toEqual([404, 'not-found', false]);
    }
    expect((await send('operator', '/runs', TEAM)).json()).toEqual({ runs: [run(OTHER)], next: at(0) });
  });

  it('finds its own run by an exact name, and no more of the name of a foreign run than of no run', async () => {
    get().covered = [RUN];
    const ids: Readonly<Record<string, string>> = { own: RUN, foreign: OTHER };
    get().runPages = {
      timeline: async () => page,
      recent: async (question, _principal, seeing) => {
        asked.push(question);
        const named = question.named === null ? undefined : ids[question.named];
        return { runs: await seenOnly(named === undefined ? [] : [named], seeing), before: null };
      },
    };
    const find = async (name: string) => (await send('auditor', `/runs?text=${name}`, TEAM)).json();
    expect((await find('own')).runs).toMatchObject([{ id: RUN }]);
    expect(await find('foreign')).toEqual({ runs: [], next: null });
    expect(await find('foreign')).toEqual(await find('unknown'));
    expect(asked).toMatchObject(['own', 'foreign', 'foreign', 'unknown'].map((named) => ({ named, byName: false })));
  });

  it('sees no name without the right to read the same runs', async () => {
    get().covered = [RUN];
    await send('auditor', `/timeline/${RUN}`, TEAM);
    expect(asked).toMatchObject([{ seesNames: false }]);
  });
});
