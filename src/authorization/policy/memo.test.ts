import { describe, expect, it } from 'vitest';
import { createMemo } from './memo.ts';

function counting<A extends object | string>(answer: (question: object) => A | undefined, most?: number) {
  const memo = createMemo<object, A>(most);
  const asked: object[] = [];
  const ask = (question: object): A | undefined =>
    memo.answer(question, (asking) => {
      asked.push(asking);
      return answer(asking);
    });
  return { ask, asked };
}

describe('the memo of answers', () => {
  it('asks once for the same question', () => {
    const { ask, asked } = counting(() => 'allow');
    expect([ask({ who: 'a', roles: ['x'] }), ask({ who: 'a', roles: ['x'] })]).toEqual(['allow', 'allow']);
    expect(asked).toHaveLength(1);
  });

  it('asks again when anything differs', () => {
    const { ask, asked } = counting((question) => question);
    const questions = [
      { who: 'a', roles: ['x'] },
      { who: 'a', roles: [] },
      { who: 'a', roles: ['x'], fact: 1 },
      { who: 'a', roles: ['x'], fact: '1' },
    ];
    expect(questions.map((question) => ask(question))).toEqual(questions);
    expect(asked).toHaveLength(4);
  });

  it('asks again after a failure', () => {
    const { ask, asked } = counting(() => undefined);
    expect([ask({}), ask({})]).toEqual([undefined, undefined]);
    expect(asked).toHaveLength(2);
  });

  it('is bounded, in number and in length', () => {
    const few = counting(() => 'allow', 2);
    for (const id of [1, 2, 3, 1]) few.ask({ id });
    expect(few.asked).toHaveLength(4);
    const long = counting(() => 'allow');
    for (let times = 0; times < 2; times += 1) long.ask({ name: 'x'.repeat(2_000) });
    expect(long.asked).toHaveLength(2);
  });
});
