// A filter of a scoped principal sees what its answers show: nothing hidden changes an answer, and no guess about it does.
//
// One test of each field is asked, on the routes by turns; test/endurance/filters.test.ts asks all of them on all routes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fourAtOnce } from '../env/at-once.ts';
import { byTurns, type Question, questionsOf } from '../env/filter-questions.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect } from '../env/prefect.ts';
import { answerTo, makeWorlds, type Worlds } from '../env/two-worlds.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
let gateway: Gateway;
let worlds: Worlds;
let questions: readonly Question[];
const ask = (path: string, body: unknown) => answerTo(gateway, worlds.token, { path, body });

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect, config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  worlds = await makeWorlds(server, gateway);
  questions = questionsOf(await server.get('/openapi.json'), worlds.guesses);
});
afterAll(() => gateway?.close());

/** What no answer shows, so that nobody with a scope may filter by it. */
const REFUSED = ['filter.resource.distinct', 'filter.text.query', 'flow_runs.created_by', 'flows.deployment', 'flows.tags'];

describe('the filters of Prefect', () => {
  it('answer the same in two worlds that differ in hidden data, and to a right guess as to a wrong one', { timeout: 240_000 }, async () => {
    const turns = byTurns(questions);
    expect(turns.length).toBeGreaterThan(80);
    const before = await fourAtOnce(turns, ({ path, foreign }) => ask(path, foreign));
    const refused = turns.filter((_question, index) => before[index]?.code === 'filter-hidden').map(({ field: name }) => name);
    expect(refused.sort()).toEqual(REFUSED);
    expect(
      turns
        .filter((_question, index) => before[index]?.status !== 200 && !refused.includes(turns[index]?.field ?? ''))
        .map(({ path, name }) => `${path} ${name}`),
    ).toEqual([]);
    await worlds.change();
    await fourAtOnce(turns, async ({ path, name, foreign, nobody }, index) => {
      const after = await ask(path, foreign);
      expect(after, `${path} ${name}: the hidden data changed it`).toEqual(before[index]);
      if (JSON.stringify(nobody) === JSON.stringify(foreign)) return;
      expect(await ask(path, nobody), `${path} ${name}: a wrong guess`).toEqual(after);
    });
  });

  it('find by a parent, a sub-flow and a deployment as the answers show them', async () => {
    const runs = async (filter: unknown) => list(JSON.parse((await ask('/flow_runs/filter', { flow_runs: filter, limit: 200 })).text));
    const all = await runs({});
    const withParent = await runs({ parent_task_run_id: { is_null_: false } });
    const without = await runs({ parent_task_run_id: { is_null_: true } });
    expect(withParent).toEqual(all.filter((run) => field(run, 'parent_task_run_id') !== null));
    expect(without).toEqual(all.filter((run) => field(run, 'parent_task_run_id') === null));
    expect(without.map((run) => field(run, 'name'))).toContain(`${worlds.own.mark}-started`);
    const tasks = (exists_: boolean) => ask('/task_runs/count', { task_runs: { subflow_runs: { exists_ } } });
    expect([(await tasks(true)).text, (await tasks(false)).text]).toEqual(['0', (await ask('/task_runs/count', {})).text]);
    const guests = await ask('/flow_runs/count', { deployments: { name: { like_: worlds.guesses.team.mark } } });
    expect(guests.text).toBe('0');
    expect((await ask('/flow_runs/count', { deployments: { name: { like_: worlds.own.mark } } })).text).not.toBe('0');
  });
});
