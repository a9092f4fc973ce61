// What a chain of principals sees of a list is what each of them sees alone, for many scopes. Prefect here evaluates its filters like the real one.
import { expect, it } from 'vitest';
import { field, isObject, type JsonObject, type JsonValue, objectsIn, textsIn } from '../../../contract/json/tree.ts';
import { NOWHERE, type Restriction, type Scope } from '../../../contract/scope.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { narrow } from './narrow-request.ts';

const catalogue = createCatalogue();
const uuid = (kind: number, number: number) => `${kind}0000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** Numbers from 0 to below `most`, the same in each run of the tests. */
function numbersFrom(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
}

const TAGS = ['a', 'b', 'c', 'd'];
const POOLS = ['pool-1', 'pool-2'];

function subset(values: readonly string[], next: (most: number) => number): readonly string[] {
  const some = values.filter(() => next(2) === 0);
  return some.length === 0 ? [values[next(values.length)] ?? ''] : some;
}

const next = numbersFrom(7);
const FLOWS = [0, 1, 2].map((number) => ({ id: uuid(1, number), name: `flow-${number}` }));
const DEPLOYMENTS = Array.from({ length: 12 }, (_, number) => ({
  ...{ id: uuid(2, number), name: `d-${number % 4}`, flow_id: uuid(1, number % 3) },
  ...{ tags: [...subset(TAGS, next)], work_pool_name: POOLS[next(2)] ?? '' },
}));
const RUNS = Array.from({ length: 60 }, (_, number) => {
  const deployment = number % 5 === 0 ? undefined : DEPLOYMENTS[next(12)];
  return {
    ...{ id: uuid(3, number), flow_id: deployment?.flow_id ?? uuid(1, next(3)), deployment_id: deployment?.id ?? null },
    ...{ tags: [...subset(TAGS, next)], work_pool_name: deployment?.work_pool_name ?? null },
  };
});
const VARIABLES = Array.from({ length: 12 }, (_, number) => ({ id: uuid(4, number), name: `v_${number}`, tags: [...subset(TAGS, next)] }));

/** `any_` and `all_` of each criterion. */
function fits(object: JsonValue | undefined, filter: JsonValue | undefined): boolean {
  if (filter === undefined || filter === null) return true;
  if (!isObject(object) || !isObject(filter)) return false;
  return Object.entries(filter).every(([name, criterion]) => {
    const value = field(object, name) ?? null;
    const values = Array.isArray(value) ? textsIn(value) : [String(value)];
    const [any, all] = [field(criterion, 'any_') ?? null, field(criterion, 'all_') ?? null];
    return (any === null || values.some((each) => textsIn(any).includes(each))) && (all === null || textsIn(all).every((each) => values.includes(each)));
  });
}

const pool = (name: JsonValue | undefined) => (typeof name === 'string' ? { name } : undefined);
const byId = <T extends { readonly id: string }>(objects: readonly T[], id: string | null) => objects.find((each) => each.id === id);

const runFits = (body: JsonObject) => (run: (typeof RUNS)[number]) =>
  fits(run, field(body, 'flow_runs')) &&
  fits(byId(FLOWS, run.flow_id), field(body, 'flows')) &&
  fits(byId(DEPLOYMENTS, run.deployment_id), field(body, 'deployments')) &&
  fits(pool(run.work_pool_name), field(body, 'work_pools'));
const deploymentFits = (body: JsonObject) => (deployment: (typeof DEPLOYMENTS)[number]) =>
  fits(deployment, field(body, 'deployments')) &&
  fits(byId(FLOWS, deployment.flow_id), field(body, 'flows')) &&
  fits(pool(deployment.work_pool_name), field(body, 'work_pools'));
const flowFits =
  (body: JsonObject) =>
  ({ id, name }: (typeof FLOWS)[number]) =>
    fits({ id, name }, field(body, 'flows')) && DEPLOYMENTS.some((each) => each.flow_id === id && deploymentFits({ ...body, flows: null })(each));

function answerOf(path: string, body: JsonObject): JsonValue {
  if (path === '/api/flow_runs/filter' || path === '/api/ui/flow_runs/history') return RUNS.filter(runFits(body));
  if (path === '/api/deployments/filter') return DEPLOYMENTS.filter(deploymentFits(body));
  if (path === '/api/flows/filter') return FLOWS.filter(flowFits(body));
  if (path === '/api/variables/filter') return VARIABLES.filter((each) => fits(each, field(body, 'variables')));
  if (path === '/api/automations/filter') return VARIABLES;
  return [];
}

/** The ids that a client gets; `refusal` codes are no ids. */
async function seen(route: string, restrictions: readonly Restriction[]): Promise<readonly string[]> {
  const found = catalogue.match('POST', route);
  if (found === undefined) throw new Error(`no such route: ${route}`);
  const call = { operation: found.operation, params: {}, tree: {}, readsParameters: false, turn: async () => undefined, inputs: { args: '' } as never };
  const lookup = async (path: string, body?: JsonValue) => {
    const { offset = 0, limit = 200, ...filter } = isObject(body) ? body : {};
    const all = answerOf(path, filter);
    return Array.isArray(all) ? all.slice(Number(offset), Number(offset) + Number(limit)) : all;
  };
  const created = { 'alice@corp': RUNS.slice(0, 30), 'agent:a': RUNS.slice(20, 50) } as Readonly<Record<string, readonly { id: string }[]>>;
  const createdBy = async (type: string, id: string) => (type === 'FlowRun' ? (created[id] ?? []).map((each) => each.id) : []);
  const narrowed = await narrow(call, {}, { restrictions, lookup, createdBy, mayRead: async () => false });
  if (!narrowed.ok) throw new Error(narrowed.refusal.code);
  const list = narrowed.forward ? answerOf(route, isObject(narrowed.tree) ? narrowed.tree : {}) : narrowed.answer;
  return objectsIn(list).map((each) => String(field(each, 'id')));
}

function someScope(random: (most: number) => number): Scope {
  const maybe = <T>(value: T): T | null => (random(3) === 0 ? value : null);
  const scope = {
    ...{ tags: maybe(subset(TAGS, random)), workPools: maybe(subset(POOLS, random)) },
    ...{ deployments: maybe([['flow-0/*', 'flow-1/d-1', 'flow-*'][random(3)] ?? '']), flows: maybe([['flow-0', 'flow-*'][random(2)] ?? '']) },
    ...{ variables: maybe(['v_1*']), automations: maybe(['v_*']) },
  };
  return { ...NOWHERE, ...scope, own: random(6) === 0 };
}

const ROUTES = ['flow_runs', 'deployments', 'flows', 'variables', 'automations'];

it.each(ROUTES)('a chain sees of %s what each of its principals sees', async (kind) => {
  const random = numbersFrom(11);
  let visible = 0;
  for (let round = 0; round < 150; round += 1) {
    const restrictions = ['agent:a', 'alice@corp'].map((principalId) => ({
      principalId,
      scopes: Array.from({ length: 1 + random(2) }, () => someScope(random)),
    }));
    const [first, second] = await Promise.all(restrictions.map((restriction) => seen(`/api/${kind}/filter`, [restriction])));
    const both = await seen(`/api/${kind}/filter`, restrictions);
    expect(both.toSorted(), JSON.stringify(restrictions)).toEqual((first ?? []).filter((id) => second?.includes(id)).toSorted());
    visible += both.length;
  }
  expect(visible).toBeGreaterThan(20);
});

it('twin: one principal of the chain without scopes hides everything', async () => {
  const all = { principalId: 'agent:a', scopes: [{ ...NOWHERE, tags: TAGS, automations: ['v_*'] }] };
  for (const kind of ROUTES) {
    expect(await seen(`/api/${kind}/filter`, [all]), kind).not.toEqual([]);
    expect(await seen(`/api/${kind}/filter`, [all, { principalId: 'alice@corp', scopes: [] }]), kind).toEqual([]);
    expect(await seen(`/api/${kind}/filter`, [{ principalId: 'alice@corp', scopes: [] }, all]), kind).toEqual([]);
  }
});

it('refuses scopes of a chain that would be too many requests', async () => {
  const tagged = (letter: string) => Array.from({ length: 10 }, (_, number) => `${letter}${number}`);
  const restrictions = ['x', 'y'].map((letter) => ({ principalId: letter, scopes: [{ ...NOWHERE, tags: tagged(letter) }] }));
  await expect(seen('/api/flow_runs/filter', restrictions)).rejects.toThrow('scope-too-wide');
});
