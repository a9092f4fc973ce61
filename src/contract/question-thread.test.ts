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
  expect(await Promise.all([ask('a', upper, 'alice'), ask('b', upper, 'alice')])).toEqual([
    ['a', 'A?', 'A!'],
    ['b', 'B?', 'B!'],
  ]);
  expect(started).toBe(1);
});

it('rejects a question more than may wait, and takes one again afterwards', async () => {
  const { ask } = thread();
  const asked = ['a', 'b', 'c'].map((question) => ask(question, upper, 'alice'));
  await expect(ask('x', upper, 'alice')).rejects.toMatchObject({ code: 'busy' });
  await Promise.all(asked);
  expect(await ask('d', upper, 'alice')).toEqual(['d', 'D?', 'D!']);
});

it('answers the principals in turn: many questions of one do not delay another, and lose a place to it', async () => {
  const { ask } = thread({ mostWaiting: 3 });
  const order: string[] = [];
  const asking = (question: string, principal: string) => ask(question, upper, principal).finally(() => order.push(question));
  const greedy = Promise.allSettled(['m1', 'm2', 'm3', 'm4'].map((question) => asking(question, 'mallory')));
  await expect(asking('m5', 'mallory')).rejects.toMatchObject({ code: 'busy' });
  await Promise.all([asking('b1', 'bob'), asking('c1', 'carol')]);
  // The last questions of mallory made room for those of bob and carol.
  expect((await greedy).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  expect(order).toEqual(['m5', 'm4', 'm3', 'm1', 'm2', 'b1', 'c1']);
});

it('says what failed, resets, and continues', async () => {
  const { ask } = thread();
  await expect(ask('fail', upper, 'alice')).rejects.toMatchObject({ code: 'of-a-test', message: 'Error: broken' });
  await expect(ask('function', upper, 'alice')).rejects.toMatchObject({ code: 'of-a-test' });
  expect(await ask('resets', upper, 'alice')).toBe(2);
});

it('starts another thread after one has ended', async () => {
  const { ask } = thread();
  await expect(ask('exit', upper, 'alice')).rejects.toMatchObject({ code: 'late' });
  expect(await ask('a', upper, 'alice')).toEqual(['a', 'A?', 'A!']);
  expect(started).toBe(2);
});

it.each([
  ['the thread does not answer', 'never', upper],
  ['the owner fails', 'a', () => Promise.reject(new Error('away'))],
  ['no thread can get what the owner answers', 'a', () => Promise.resolve(() => 'a function')],
] as const)('ends at its time limit if %s', async (_what, question, own) => {
  await expect(thread({ atMostMs: 200 }).ask(question, own, 'alice')).rejects.toMatchObject({ code: 'late' });
});

it('is opened in a thread only', () => {
  expect(() => openQuestionPort(null, 'a thread only')).toThrow('a thread only');
});
