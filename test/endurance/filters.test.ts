// Every test of every filter, on every route of Prefect that takes it: test/integration/filters.test.ts asks one of each field.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Question, questionsOf } from '../env/filter-questions.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { type Answer, answerTo, makeWorlds, type Worlds } from '../env/two-worlds.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
let gateway: Gateway;
let worlds: Worlds;
let questions: readonly Question[];

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect, config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  worlds = await makeWorlds(server, gateway);
  questions = questionsOf(await server.get('/openapi.json'), worlds.guesses);
});
afterAll(() => gateway?.close());

describe('every filter on every route', () => {
  it('answers the same in two worlds that differ in hidden data, and to a right guess as to a wrong one', async () => {
    const ask = (path: string, body: unknown) => answerTo(gateway, worlds.token, { path, body });
    const before: Answer[] = [];
    for (const { path, foreign } of questions) before.push(await ask(path, foreign));
    await worlds.change();
    const different: string[] = [];
    for (const [index, { path, name, foreign, nobody }] of questions.entries()) {
      const after = await ask(path, foreign);
      if (JSON.stringify(after) !== JSON.stringify(before[index])) different.push(`${path} ${name}: the hidden data changed it`);
      if (JSON.stringify(await ask(path, nobody)) !== JSON.stringify(after)) different.push(`${path} ${name}: a wrong guess`);
    }
    expect(questions.length).toBeGreaterThan(1000);
    expect(different).toEqual([]);
  });
});
