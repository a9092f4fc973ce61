// Every test of every filter, on every route of Prefect that takes it: test/integration/filters.test.ts asks one of each field.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Question, questionsOf } from '../env/filter-questions.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { answerTo, makeWorlds, type Worlds } from '../env/two-worlds.ts';

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
    const guesses = questions.filter(({ foreign, nobody }) => JSON.stringify(foreign) !== JSON.stringify(nobody));
    const before = await answersTo(questions.map(({ path, foreign }) => ({ path, body: foreign })));
    await worlds.change();
    const after = await answersTo(questions.map(({ path, foreign }) => ({ path, body: foreign })));
    const wrong = await answersTo(guesses.map(({ path, nobody }) => ({ path, body: nobody })));
    const changed = questions.filter((_question, index) => after[index] !== before[index]);
    const guessed = guesses.filter((question, index) => wrong[index] !== after[questions.indexOf(question)]);
    const named = ({ path, name }: Question) => `${path} ${name}`;
    expect(questions.length).toBeGreaterThan(1000);
    expect(changed.map(named)).toEqual([]);
    expect(guessed.map(named)).toEqual([]);
  });
});

/** Each of the answers in the place of its question. Some are asked side by side, as it takes minutes. */
async function answersTo(asked: readonly { readonly path: string; readonly body: unknown }[]): Promise<readonly string[]> {
  const answers: string[] = [];
  const rest = [...asked.entries()];
  const lane = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const [place, question] = next;
      answers[place] = JSON.stringify(await answerTo(gateway, worlds.token, question));
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return answers;
}
