// Every test of every filter, on every route of Prefect that takes it: test/integration/filters.test.ts asks one of each field.
//
// Each release of Prefect has different filters, and rejects some. A test passes if both worlds reject a question alike.
import { describe, expect, it } from 'vitest';
import { type Question, questionsOf } from '../env/filter-questions.ts';
import type { Gateway } from '../env/gateway.ts';
import { answerTo, makeWorlds } from '../env/two-worlds.ts';
import { openRelease, RELEASES } from '../integration/old-servers/release.ts';

const NO_LIMIT = { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] };

describe.each(RELEASES)('every filter on every route of Prefect %s', (version, venv) => {
  const release = openRelease(version, venv, NO_LIMIT);

  it('answers the same in two worlds that differ in hidden data, and to a right guess as to a wrong one', async () => {
    const { direct, gateway } = release();
    const worlds = await makeWorlds(direct, gateway);
    const questions = questionsOf(await direct.get('/openapi.json'), worlds.guesses);
    const guesses = questions.filter(({ foreign, nobody }) => JSON.stringify(foreign) !== JSON.stringify(nobody));
    const ask = (asked: readonly Asked[]) => answersTo(gateway, worlds.token, asked);
    const before = await ask(questions.map(({ path, foreign }) => ({ path, body: foreign })));
    await worlds.change();
    const after = await ask(questions.map(({ path, foreign }) => ({ path, body: foreign })));
    const wrong = await ask(guesses.map(({ path, nobody }) => ({ path, body: nobody })));
    const changed = questions.filter((_question, index) => after[index] !== before[index]);
    const guessed = guesses.filter((question, index) => wrong[index] !== after[questions.indexOf(question)]);
    const named = ({ path, name }: Question) => `${path} ${name}`;
    expect(questions.length).toBeGreaterThan(1000);
    expect(changed.map(named)).toEqual([]);
    expect(guessed.map(named)).toEqual([]);
  });
});

interface Asked {
  readonly path: string;
  readonly body: unknown;
}

/** Each of the answers in the place of its question. Some are asked side by side, as it takes minutes. */
async function answersTo(gateway: Gateway, token: string, asked: readonly Asked[]): Promise<readonly string[]> {
  const answers: string[] = [];
  const rest = [...asked.entries()];
  const lane = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const [place, question] = next;
      answers[place] = JSON.stringify(await answerTo(gateway, token, question));
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return answers;
}
