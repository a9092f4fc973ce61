// The step that scopes add to a mediated request: what is refused, what goes on, and what is left out of the answer.
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { NOWHERE, type Scope } from '../../../contract/scope.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import type { Ask } from '../../decide/asks.ts';
import { narrow, type Restricted } from './narrow-request.ts';
import type { Narrowed } from './narrowed.ts';

const A = '11111111-0000-4000-8000-000000000000';
const B = '22222222-0000-4000-8000-000000000000';
const catalogue = createCatalogue();
const TEAM: readonly Scope[] = [{ ...NOWHERE, tags: ['team-a'] }];

interface Given {
  readonly scopes?: readonly Scope[] | null;
  readonly mayRead?: Restricted['mayRead'];
  readonly lookup?: Restricted['lookup'];
}

/** Prefect knows the run A, which the scope covers. */
const knowsA: Restricted['lookup'] = async (path) => (path.endsWith('/history') ? [{ id: A }] : []);

function applied(route: string, tree: JsonValue | undefined, { scopes = TEAM, mayRead = async () => false, lookup = knowsA }: Given = {}): Promise<Narrowed> {
  const [method = '', path = ''] = route.split(' ');
  const found = catalogue.match(method, path);
  if (found === undefined) throw new Error(`no such route: ${route}`);
  const call = { operation: found.operation, params: found.params, tree, readsParameters: false, turn: async () => undefined, inputs: { args: '' } as never };
  const restrictions = scopes === null ? [] : [{ principalId: 'bob@local', scopes }];
  return narrow(call, tree, { restrictions, lookup, createdBy: async () => [], mayRead });
}

async function codeOf(...given: Parameters<typeof applied>): Promise<string> {
  const result = await applied(...given);
  return result.ok ? 'ok' : result.refusal.code;
}

/** The body that a client gets of this answer of Prefect. */
async function screenedBody(result: Narrowed, body: string, status = 200): Promise<string> {
  if (!result.ok || !result.forward || result.screen === undefined) throw new Error('the answer is not screened');
  return (await result.screen({ status, headers: {}, body: Buffer.from(body), upstreamMs: 1 })).body.toString();
}

describe('a request of a scoped role', () => {
  it.each([
    ['POST /api/flow_runs/filter', { flows: { tags: { all_: ['secret'] } } }, { flows: { name: { any_: ['etl'] } } }],
    ['POST /api/flows/filter', { deployments: { created: { any_: [] } } }, { deployments: { name: { any_: ['x'] } } }],
    ['POST /api/variables/filter', { variables: { value: { like_: 'a' } } }, { variables: { name: { any_: ['x'] } } }],
  ])('%s: a filter about hidden data is refused, and one about shown data is not', async (route, hidden, shown) => {
    expect(await codeOf(route, hidden)).toBe('filter-hidden');
    expect(await codeOf(route, hidden, { scopes: null })).toBe('ok');
    expect(await codeOf(route, shown)).toBe('ok');
  });

  it('is refused where no list says how it is narrowed; a role on everything is not', async () => {
    expect(await codeOf('POST /api/task_workers/filter', {})).toBe('scope-not-filterable');
    expect(await applied('POST /api/task_workers/filter', { a: 1 }, { scopes: null })).toEqual({ ok: true, forward: true, tree: { a: 1 } });
  });
});

describe('the answer to a scoped role', () => {
  const run = (parent: string) => JSON.stringify({ id: A, parent_task_run_id: parent });

  it('names no parent that the role may not read, and names one that it may', async () => {
    const hidden = await applied(`GET /api/flow_runs/${A}`, undefined);
    expect(JSON.parse(await screenedBody(hidden, run(B)))).toEqual({ id: A, parent_task_run_id: null });
    const asked: unknown[] = [];
    const mayRead: Restricted['mayRead'] = async (ask) => {
      asked.push(ask);
      return true;
    };
    const shown = await applied(`GET /api/flow_runs/${A}`, undefined, { mayRead });
    expect(await screenedBody(shown, run(B))).toBe(run(B));
    expect(asked).toEqual([{ action: 'task_runs.read', resource: { type: 'TaskRun', id: B } }]);
  });

  it('names none beyond the twenty that are looked at', async () => {
    const ids = Array.from({ length: 22 }, (_, index) => `33333333-0000-4000-8000-0000000000${index + 10}`);
    const result = await applied('POST /api/flow_runs/filter', {}, { mayRead: async () => true });
    const body = await screenedBody(result, JSON.stringify(ids.map((parent_task_run_id) => ({ id: A, parent_task_run_id }))));
    expect((JSON.parse(body) as { parent_task_run_id: string | null }[]).filter((item) => item.parent_task_run_id === null)).toHaveLength(2);
  });

  it("has the words of a flow only where the role reaches all of the flow's uses", async () => {
    const flow = JSON.stringify({ id: A, name: 'etl', tags: ['theirs'], labels: { team: 'b' } });
    const isWhole = ({ on }: Ask) => on?.kind === 'resource' && on.whole === true;
    const asks: Restricted['mayRead'] = async (ask) => isWhole(ask);
    expect(await screenedBody(await applied(`GET /api/flows/${A}`, undefined, { mayRead: asks }), flow)).toBe(flow);
    const foreign = await screenedBody(await applied(`GET /api/flows/${A}`, undefined, { mayRead: async (ask) => !isWhole(ask) }), flow);
    expect(JSON.parse(foreign)).toEqual({ id: A, name: 'etl', tags: [], labels: {} });
  });

  it('is an outage where it cannot be read, and passes as it is where Prefect refuses', async () => {
    const result = await applied(`GET /api/flow_runs/${A}`, undefined);
    await expect(screenedBody(result, `{"id":"${A}","parent_task_run_id":"${B}"`)).rejects.toMatchObject({ reason: 'upstream-unavailable' });
    expect(await screenedBody(result, '{"detail":"no"', 404)).toBe('{"detail":"no"');
  });

  it('that is made here names no task run that the role may not read', async () => {
    const limits: readonly Scope[] = [{ ...NOWHERE, concurrencyLimits: ['db'] }];
    const lookup: Restricted['lookup'] = async (path) => (path === '/api/concurrency_limits/filter' ? [{ id: A, tag: 'db', active_slots: [B] }] : []);
    const blind = await applied('POST /api/concurrency_limits/filter', {}, { scopes: limits, lookup });
    expect(JSON.stringify(blind)).toContain('"tag":"db"');
    expect(JSON.stringify(blind)).not.toContain(B);
    const shown = await applied('POST /api/concurrency_limits/filter', {}, { scopes: limits, lookup, mayRead: async () => true });
    expect(JSON.stringify(shown)).toContain(B);
  });
});
