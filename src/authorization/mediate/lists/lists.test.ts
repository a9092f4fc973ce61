// Narrowed bodies and made answers, with a Prefect that is asked by path. What it really does with them: test/integration/scoped-lists.test.ts.
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import { NOWHERE, type Scope } from '../../../contract/scope.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { openToken } from './event-pages.ts';
import type { Narrowed } from './narrowed.ts';
import { narrowOf } from './table.ts';

const A = '11111111-0000-4000-8000-000000000000';
const B = '22222222-0000-4000-8000-000000000000';
const catalogue = createCatalogue();
const tags: Scope = { ...NOWHERE, tags: ['team-a'] };
const pooled: Scope = { ...NOWHERE, tags: ['team-a'], workPools: ['pool-a'] };

type Prefect = Readonly<Record<string, (body: JsonObject) => JsonValue | null>>;

interface Given {
  readonly scopes?: readonly Scope[];
  readonly prefect?: Prefect;
  readonly args?: string;
  /** What bob has made, by kind. */
  readonly createdBy?: Readonly<Partial<Record<string, readonly string[]>>>;
}

async function narrowed(
  route: string,
  tree: JsonValue | undefined,
  { scopes = [tags], prefect = {}, args = '', createdBy = {} }: Given = {},
): Promise<Narrowed & { asked: string[] }> {
  const [method = '', path = ''] = route.split(' ');
  const found = catalogue.match(method, path);
  const narrow = found && narrowOf(found.operation);
  if (found === undefined || narrow === undefined) throw new Error(`no list: ${route}`);
  const asked: string[] = [];
  const lookup = async (asking: string, filter?: JsonValue) => {
    asked.push(`${asking.split('?')[0]} ${JSON.stringify(filter ?? null)}`);
    const answer = prefect[asking.split('?')[0] ?? ''];
    return answer === undefined ? [] : answer(isObject(filter) ? filter : { link: asking });
  };
  const call = { operation: found.operation, params: found.params, tree, readsParameters: false, turn: async () => undefined, inputs: { args } as never };
  return { ...(await narrow(call, { restrictions: [{ principalId: 'bob@local', scopes }], lookup, createdBy: async (type) => createdBy[type] ?? [] })), asked };
}

async function body(...given: Parameters<typeof narrowed>): Promise<JsonValue | undefined> {
  const result = await narrowed(...given);
  if (!result.ok || !result.forward) throw new Error(JSON.stringify(result));
  return result.tree;
}

async function code(...given: Parameters<typeof narrowed>): Promise<string> {
  const result = await narrowed(...given);
  return result.ok ? 'ok' : result.refusal.code;
}

const runs = (...ids: string[]): Prefect => ({ '/api/ui/flow_runs/history': () => ids.map((id) => ({ id })) });

describe('lists of runs', () => {
  it('have the filters of the scope beside those of the client, and keep sort, limit and page', async () => {
    const asked = { flow_runs: { state: { type: { any_: ['FAILED'] } } }, sort: 'ID_DESC', limit: 5, offset: 10 };
    expect(await body('POST /api/flow_runs/filter', asked, { scopes: [pooled] })).toEqual({
      ...asked,
      flow_runs: { state: { type: { any_: ['FAILED'] } }, tags: { any_: ['team-a'] } },
      work_pools: { name: { any_: ['pool-a'] } },
    });
    expect(await body('POST /api/flow_runs/count', undefined)).toEqual({ flow_runs: { tags: { any_: ['team-a'] } } });
  });

  it('name the runs where a route does not know the filter: Prefect would ignore it', async () => {
    const given = { scopes: [pooled], prefect: runs(A) };
    expect(await body('POST /api/task_runs/filter', {}, given)).toEqual({ flow_runs: { id: { any_: [A] } } });
    expect(await body('POST /api/artifacts/count', {}, { ...given, prefect: runs() })).toEqual({ flow_runs: { id: { any_: [] } } });
    expect(await body('POST /api/task_runs/filter', {})).toEqual({ flow_runs: { tags: { any_: ['team-a'] } } });
  });

  it('name the runs of several scopes that are no one filter, and ask for each with what the client asks for', async () => {
    const scopes = [tags, { ...NOWHERE, workPools: ['pool-a'] }];
    const result = await narrowed('POST /api/flow_runs/filter', { flow_runs: { name: { like_: 'x' } } }, { scopes, prefect: runs(A) });
    expect(result).toMatchObject({ tree: { flow_runs: { name: { like_: 'x' }, id: { any_: [A] } } } });
    expect(result.asked).toHaveLength(2);
    expect(result.asked.every((question) => question.includes('"like_":"x"'))).toBe(true);
  });

  it('show nothing for scopes of other kinds', async () => {
    expect(await body('POST /api/flow_runs/filter', {}, { scopes: [{ ...NOWHERE, variables: ['x'] }] })).toEqual({ flow_runs: { id: { any_: [] } } });
  });

  it('refuse what cannot be said: a joining or_, too many runs', async () => {
    expect(await code('POST /api/flow_runs/filter', { flow_runs: { operator: 'or_', name: {}, id: {} } })).toBe('scope-filter');
    const many: Prefect = { '/api/ui/flow_runs/history': () => Array.from({ length: 1000 }, (_none, index) => ({ id: `${index}` })) };
    expect(await code('POST /api/task_runs/filter', {}, { scopes: [pooled], prefect: many })).toBe('scope-too-wide');
    for (const tree of [[], 'x', 1, null]) expect(await code('POST /api/flow_runs/filter', tree)).toBe('body-invalid');
  });
});

describe('own lists', () => {
  const own: Scope = { ...NOWHERE, own: true };

  it('are of what the principal has made, and of nothing when it has made nothing', async () => {
    const filter = { flow_runs: { id: { any_: [A] } } };
    expect(await body('POST /api/flow_runs/filter', {}, { scopes: [own], createdBy: { FlowRun: [A] } })).toEqual(filter);
    expect(await body('POST /api/task_runs/filter', { limit: 3 }, { scopes: [own], createdBy: { FlowRun: [A] } })).toEqual({ ...filter, limit: 3 });
    expect(await body('POST /api/flow_runs/count', { flow_runs: { id: { any_: [A, B] } } }, { scopes: [own], createdBy: { FlowRun: [A] } })).toEqual(filter);
    expect(await body('POST /api/flow_runs/filter', {}, { scopes: [own] })).toEqual({ flow_runs: { id: { any_: [] } } });
    expect(await body('POST /api/deployments/filter', {}, { scopes: [own], createdBy: { Deployment: [B], FlowRun: [A] } })).toEqual({
      deployments: { id: { any_: [B] } },
    });
  });

  it('have the other keys of the scope beside', async () => {
    const scopes = [{ ...tags, own: true }];
    expect(await body('POST /api/flow_runs/filter', {}, { scopes, createdBy: { FlowRun: [A] } })).toEqual({
      flow_runs: { tags: { any_: ['team-a'] }, id: { any_: [A] } },
    });
  });

  it('of flows are not those of runs', async () => {
    const prefect: Prefect = { ...runs(A), '/api/flows/filter': (filter) => (JSON.stringify(filter).includes(B) ? [{ id: B }] : [{ id: A }]) };
    expect(await body('POST /api/flows/filter', {}, { scopes: [own], prefect, createdBy: { FlowRun: [A], Flow: [B] } })).toEqual({
      flows: { id: { any_: [B] } },
    });
    expect(await body('POST /api/flows/filter', {}, { scopes: [{ ...tags, own: true }], prefect, createdBy: { Flow: [B] } })).toEqual({
      flows: { id: { any_: [] } },
    });
  });

  it('of what has a name are by id, and of pools by name', async () => {
    const prefect: Prefect = {
      '/api/variables/filter': () => [{ id: A }, { id: B }],
      '/api/work_pools/filter': () => [
        { id: A, name: 'a' },
        { id: B, name: 'b' },
      ],
    };
    expect(await body('POST /api/variables/filter', {}, { scopes: [own], prefect, createdBy: { Variable: [B] } })).toEqual({
      variables: { id: { any_: [B] } },
    });
    expect(await body('POST /api/work_pools/filter', {}, { scopes: [own], prefect, createdBy: { WorkPool: ['a'] } })).toEqual({
      work_pools: { id: { any_: [A] } },
    });
  });
});

describe('lists of logs', () => {
  it('are of the named runs that are covered, or of all that are', async () => {
    const named = { logs: { flow_run_id: { any_: [A, B] }, level: { ge_: 20 } } };
    expect(await body('POST /api/logs/filter', named, { prefect: runs(A) })).toEqual({ logs: { flow_run_id: { any_: [A] }, level: { ge_: 20 } } });
    expect(await body('POST /api/logs/filter', {}, { prefect: runs(A) })).toEqual({ logs: { flow_run_id: { any_: [A] } } });
    expect(await code('POST /api/logs/filter', { logs: { operator: 'or_', ...named.logs } }, { prefect: runs(A) })).toBe('scope-filter');
  });

  it('go by the task run when that alone is named', async () => {
    const prefect: Prefect = {
      ...runs(A),
      '/api/task_runs/filter': () => [
        { id: 't-a', flow_run_id: A },
        { id: 't-b', flow_run_id: B },
      ],
    };
    expect(await body('POST /api/logs/filter', { logs: { task_run_id: { any_: ['t-a', 't-b'] } } }, { prefect })).toEqual({
      logs: { task_run_id: { any_: ['t-a'] } },
    });
  });
});

describe('flows and deployments', () => {
  it('ask about runs and deployments of a shared flow under the scope', async () => {
    const prefect: Prefect = { ...runs(A), '/api/flows/filter': () => [{ id: 'f' }], '/api/deployments/filter': () => [{ id: 'd', flow_id: 'f' }] };
    expect(await body('POST /api/flows/filter', { flow_runs: { name: { like_: 'b' } } }, { prefect })).toEqual({
      flows: { id: { any_: ['f'] } },
      flow_runs: { id: { any_: [A] } },
      task_runs: null,
    });
    expect(await body('POST /api/flows/count', { deployments: { name: { like_: 'b' } } }, { prefect })).toMatchObject({ deployments: { id: { any_: ['d'] } } });
    expect(await body('POST /api/deployments/filter', { task_runs: { name: { like_: 'b' } } }, { prefect })).toMatchObject({
      deployments: { tags: { any_: ['team-a'] } },
      flow_runs: { id: { any_: [A] } },
      task_runs: null,
    });
  });

  it('are counted here, own ones only', async () => {
    const prefect: Prefect = {
      '/api/deployments/filter': () => [
        { id: 'd1', flow_id: A },
        { id: 'd2', flow_id: A },
      ],
    };
    expect(await narrowed('POST /api/ui/flows/count-deployments', { flow_ids: [A, B] }, { prefect })).toMatchObject({ answer: { [A]: 2, [B]: 0 } });
    expect(await code('POST /api/ui/flows/count-deployments', { flow_ids: 'x' })).toBe('body-invalid');
  });
});

describe('the poll of a served deployment', () => {
  it('is about the covered ones of those that it names', async () => {
    const prefect: Prefect = { '/api/deployments/filter': () => [{ id: A, flow_id: 'f' }] };
    const asked = { deployment_ids: [A, B], limit: 3 };
    expect(await body('POST /api/deployments/get_scheduled_flow_runs', asked, { prefect })).toEqual({ deployment_ids: [A], limit: 3 });
  });
});

describe('lists by name', () => {
  const prefect: Prefect = {
    '/api/variables/filter': () => [
      { id: 'v1', name: 'a_x' },
      { id: 'v2', name: 'b_x' },
    ],
    '/api/v2/concurrency_limits/filter': () => [
      { id: 'l1', name: 'a_1' },
      { id: 'l2', name: 'b_1' },
      { id: 'l3', name: 'tag:a_2' },
    ],
  };
  const scopes = [{ ...NOWHERE, variables: ['a_*'], concurrencyLimits: ['a_*'] }];

  it('have the ids of what is covered, joined with those that the client names', async () => {
    expect(await body('POST /api/variables/filter', { variables: { name: { like_: 'x' } } }, { scopes, prefect })).toEqual({
      variables: { name: { like_: 'x' }, id: { any_: ['v1'] } },
    });
    expect(await body('POST /api/variables/count', { variables: { id: { any_: ['v2'] } } }, { scopes, prefect })).toEqual({ variables: { id: { any_: [] } } });
    expect(await body('POST /api/variables/filter', {}, { prefect })).toEqual({ variables: { id: { any_: [] } } });
  });

  it('are cut into pages where Prefect takes no filter', async () => {
    expect(await narrowed('POST /api/v2/concurrency_limits/filter', { limit: 1, offset: 1 }, { scopes, prefect })).toMatchObject({ answer: [{ id: 'l3' }] });
    expect(await code('POST /api/v2/concurrency_limits/filter', { limit: 'all' }, { scopes, prefect })).toBe('body-invalid');
  });

  it('are read and counted here where an older Prefect takes no ids, or no filter at all', async () => {
    const automations = [
      { id: 'm1', name: 'a_1' },
      { id: 'm2', name: 'b_1' },
      { id: 'm3', name: 'a_2' },
    ];
    const given = { scopes: [{ ...NOWHERE, automations: ['a_*'] }], prefect: { '/api/automations/filter': () => automations } };
    const asked = { automations: { name: { any_: ['a_1', 'b_1', 'a_2'] } } };
    const page = await narrowed('POST /api/automations/filter', { ...asked, sort: 'NAME_DESC', limit: 1, offset: 1 }, given);
    expect(page).toMatchObject({ forward: false, answer: [{ id: 'm3' }] });
    expect(page.asked).toEqual([`/api/automations/filter ${JSON.stringify({ ...asked, sort: 'NAME_DESC', limit: 200, offset: 0 })}`]);
    expect(await narrowed('POST /api/automations/count', asked, given)).toMatchObject({ forward: false, answer: 2 });
    expect(await narrowed('POST /api/automations/count', undefined, given)).toMatchObject({ forward: false, answer: 2 });
    expect(await narrowed('POST /api/automations/count', {}, { ...given, scopes: [tags] })).toMatchObject({ answer: 0 });
    const wrong = { ...given, prefect: { '/api/automations/filter': () => null } };
    for (const route of ['POST /api/automations/count', 'POST /api/automations/filter']) {
      expect(await code(route, { automations: 'x' }, wrong)).toBe('body-invalid');
      expect(await code(route, [], given)).toBe('body-invalid');
    }
  });
});

describe('events', () => {
  const event = (run: string, id: string, second = Number(id)) => ({
    id,
    occurred: `2026-01-01T00:00:${String(second).padStart(6, '0')}Z`,
    resource: { 'prefect.resource.id': `prefect.flow-run.${run}` },
    related: [],
  });
  type Event = ReturnType<typeof event>;
  const feed = [event(A, '9'), event(B, '8'), event(B, '7'), event(A, '6'), event(A, '5')];

  /** Prefect's pages of these events, the newest first. */
  function prefectWith(events: readonly Event[]): Prefect {
    const page = (filter: JsonObject, size: number, offset: number): JsonObject => {
      expect(JSON.stringify(filter)).toContain('prefect.tag.team-a');
      const occurred = filter['occurred'];
      const until = isObject(occurred) ? String(occurred['until']) : '3';
      const fitting = events.filter((each) => each.occurred <= until);
      const token = { filter, count: 99, page_size: size, offset: offset + size };
      const link = `http://x/api/events/filter/next?page-token=${Buffer.from(Buffer.from(JSON.stringify(token)).toString('base64')).toString('base64')}`;
      return { events: fitting.slice(offset, offset + size), total: fitting.length, next_page: offset + size < fitting.length ? link : null };
    };
    return {
      ...runs(A),
      '/api/events/filter': ({ filter, limit }) => page(isObject(filter) ? filter : {}, Number(limit), 0),
      '/api/events/filter/next': ({ link }) => {
        const place = openToken(String(link).split('page-token=')[1] ?? '');
        return page(place?.filter ?? {}, place?.size ?? 0, place?.offset ?? 0);
      },
    };
  }
  const prefect = prefectWith(feed);

  /** The answers of all pages, one behind the other. */
  async function pagesOf(size: number, world: Prefect): Promise<readonly JsonObject[]> {
    const pages: JsonObject[] = [];
    let result = await narrowed('POST /api/events/filter', { limit: size }, { prefect: world });
    for (;;) {
      if (!result.ok || result.forward || !isObject(result.answer)) throw new Error(JSON.stringify(result));
      pages.push(result.answer);
      const next = result.answer['next_page'];
      if (typeof next !== 'string' || pages.length > 20) return pages;
      const args = `page-token=${next.split('page-token=')[1]}`;
      result = await narrowed('GET /api/events/filter/next', undefined, { prefect: world, args });
    }
  }

  it('are read on until a page is full; its token has no filter of ours, and what it leads to is looked at again', async () => {
    const [first, second, ...more] = await pagesOf(2, prefect);
    expect(first).toMatchObject({ events: [{ id: '9' }, { id: '6' }], total: 3 });
    expect(second).toMatchObject({ events: [{ id: '5' }], total: 3, next_page: null });
    expect(more).toEqual([]);
    const token = String(first?.['next_page']).split('page-token=')[1] ?? '';
    expect(JSON.stringify(openToken(token))).not.toContain('team-a');
  });

  it('have the same pages whatever is hidden between them, also where many occurred at once', async () => {
    const own = Array.from({ length: 7 }, (_none, index) => event(A, `own-${index}`, index < 3 ? 50 : 20 - index));
    const others = (second: number, count: number) => Array.from({ length: count }, (_none, index) => event(B, `other-${second}-${index}`, second));
    const world = [...own, ...others(50, 3), ...others(19, 120), ...others(15, 1)].sort((a, b) => b.occurred.localeCompare(a.occurred));
    for (const size of [1, 2, 3, 50]) {
      const pages = await pagesOf(size, prefectWith(world));
      expect(pages).toEqual(await pagesOf(size, prefectWith(own)));
      expect(pages.flatMap(({ events }) => events)).toEqual(own);
    }
  });

  it('are refused where more than 10,000 hidden ones fit the filter, and shown below that', async () => {
    const others = Array.from({ length: 10_060 }, (_none, index) => event(B, `other-${index}`, 500_000 - index));
    expect(await code('POST /api/events/filter', {}, { prefect: prefectWith([...others, event(A, '9')]) })).toBe('scope-too-wide');
    expect(await pagesOf(50, prefectWith([...others.slice(100), event(A, '9')]))).toMatchObject([{ events: [{ id: '9' }], total: 1 }]);
    expect(await code('POST /api/events/count-by/event', { filter: {} }, { prefect: prefectWith(others) })).toBe('scope-too-wide');
  });

  it('are found and counted by what they show: not by the automation that made a run', async () => {
    const maker = { 'prefect.resource.id': `prefect.automation.${B}`, 'prefect.resource.role': 'creator', 'prefect.resource.name': 'secret' };
    const created = { ...event(A, '9'), related: [maker] };
    const world = { ...prefectWith([]), '/api/events/filter': () => ({ events: [created], total: 1, next_page: null }) };
    const byMaker = { filter: { related: { labels: { 'prefect.resource.name': 's*' } } } };
    const byRun = { filter: { any_resource: { id: [`prefect.flow-run.${A}`] } } };
    expect(await narrowed('POST /api/events/filter', byMaker, { prefect: world })).toMatchObject({ answer: { events: [], total: 0 } });
    expect(await body('POST /api/events/count-by/event', byMaker, { prefect: world })).toEqual({
      filter: { id: { id: ['00000000-0000-0000-0000-000000000000'] } },
    });
    expect(await narrowed('POST /api/events/filter', byRun, { prefect: world })).toMatchObject({ answer: { events: [{ id: '9', related: [] }] } });
  });

  it('are refused by a filter about what is not shown, also in a token', async () => {
    const filter = { text: { query: 'x' } };
    const token = Buffer.from(Buffer.from(JSON.stringify({ filter, page_size: 5, offset: 0 })).toString('base64')).toString('base64');
    expect(await code('POST /api/events/filter', { filter }, { prefect })).toBe('filter-hidden');
    expect(await code('POST /api/events/count-by/event', { filter }, { prefect })).toBe('filter-hidden');
    expect(await code('GET /api/events/filter/next', undefined, { prefect, args: `page-token=${token}` })).toBe('filter-hidden');
  });

  it('are not asked for at all when there is nothing that they could name: an empty list would be no filter', async () => {
    const scopes = [{ ...NOWHERE, blocks: ['none'] }];
    const result = await narrowed('POST /api/events/filter', {}, { scopes, prefect });
    expect(result).toMatchObject({ answer: { events: [], total: 0, next_page: null } });
    expect(result.asked.filter((question) => question.startsWith('/api/events'))).toEqual([]);
  });

  it('are counted by their ids, and none if none is visible', async () => {
    expect(await body('POST /api/events/count-by/event', { filter: { event: { prefix: ['x'] } }, time_unit: 'day' }, { prefect })).toEqual({
      time_unit: 'day',
      filter: { id: { id: ['9', '6', '5'] } },
    });
    expect(await body('POST /api/events/count-by/event', { filter: {} }, { prefect: { ...prefect, ...runs() } })).toMatchObject({
      filter: { id: { id: ['00000000-0000-0000-0000-000000000000'] } },
    });
  });

  it('are asked for by the newest runs too, which is all that some of them name', async () => {
    const { asked } = await narrowed('POST /api/events/filter', { filter: { event: { prefix: ['lictor.'] } } }, { prefect });
    expect(asked.find((question) => question.startsWith('/api/events/filter '))).toContain(`prefect.flow-run.${A}`);
  });

  it('of a forged token are refused, or looked at like any', async () => {
    for (const args of ['page-token=x', 'page-token=', 'page-token=e30%3D'])
      expect(await code('GET /api/events/filter/next', undefined, { args })).toBe('query-invalid');
  });
});
