// Each view of the console in both themes, wide and at 400 % zoom.
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Stack, startStack } from '../integration/console/stack.ts';
import { FORMS, walkEverywhere } from '../integration/console/walks/everywhere.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  await stack.closePages();
  expect(stack.misdeeds()).toEqual([]);
});
afterAll(() => stack?.close());

walkEverywhere(() => stack, FORMS);
