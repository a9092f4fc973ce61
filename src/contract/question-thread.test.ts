// A real thread that answers: the order, its own questions, the limits, and what happens when it fails or ends.
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { LictorError } from './error.ts';
import { openQuestionPort } from './question-port.ts';
import { createQuestionThread, type QuestionThreadParts } from './question-thread.ts';

const PORT = new URL('./question-port.ts', import.meta.url).href;
const CODE = `
import { parentPort } from 'node:worker_threads';
const { openQuestionPort } = await import(${JSON.stringify(PORT)});
const port = openQuestionPort(parentPort, '');
let resets = 0;
port.answerWith(async (question) => {
  if (question === 'fail') throw new Error('broken');
  if (question === 'exit') process.exit(1);
  if (question === 'never') return new Promise(() => {});
  if (question === 'resets') return resets;
  if (question === 'function') return () => 1;
  return [question, await port.ask(question + '?'), await port.ask(question + '!')];
}, { code: 'of-a-test', reset: () => { resets += 1; } });
`;
const open: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(open.splice(0).map((close) => close())));

let started = 0;
function thread(more: Partial<QuestionThreadParts> = {}) {
  started = 0;
  const made = createQuestionThread<string, string>({
    start: () => {
      started += 1;
      return new Worker(new URL(`data:text/javascript,${encodeURIComponent(CODE)}`));
    },
    ...{ atMostMs: 20_000, mostWaiting: 2, busy: () => new LictorError('busy', ''), late: () => new LictorError('late', '') },
    ...more,
  });
  open.push(made.close);
  return made;
}
const upper = async (asked: string) => asked.toUpperCase();

it('answers one question after the other, and asks its owner meanwhile', async () => {
  const { ask } = thread();
  expect(await Promise.all([ask('a', upper), ask('b', upper)])).toEqual([
    ['a', 'A?', 'A!'],
    ['b', 'B?', 'B!'],
  ]);
  expect(started).toBe(1);
});

it('rejects a question more than may wait, and takes one again afterwards', async () => {
  const { ask } = thread();
  const [first, second, third] = [ask('a', upper), ask('b', upper), ask('c', upper)];
  await expect(third).rejects.toMatchObject({ code: 'busy' });
  await Promise.all([first, second]);
  expect(await ask('d', upper)).toEqual(['d', 'D?', 'D!']);
});

it('says what failed, resets, and continues', async () => {
  const { ask } = thread();
  await expect(ask('fail', upper)).rejects.toMatchObject({ code: 'of-a-test', message: 'Error: broken' });
  await expect(ask('function', upper)).rejects.toMatchObject({ code: 'of-a-test' });
  expect(await ask('resets', upper)).toBe(2);
});

it('starts another thread after one has ended', async () => {
  const { ask } = thread();
  await expect(ask('exit', upper)).rejects.toMatchObject({ code: 'late' });
  expect(await ask('a', upper)).toEqual(['a', 'A?', 'A!']);
  expect(started).toBe(2);
});

it.each([
  ['the thread does not answer', 'never', upper],
  ['the owner fails', 'a', () => Promise.reject(new Error('away'))],
  ['no thread can get what the owner answers', 'a', () => Promise.resolve(() => 'a function')],
] as const)('ends at its time limit if %s', async (_what, question, own) => {
  await expect(thread({ atMostMs: 200 }).ask(question, own)).rejects.toMatchObject({ code: 'late' });
});

it('is opened in a thread only', () => {
  expect(() => openQuestionPort(null, 'a thread only')).toThrow('a thread only');
});
