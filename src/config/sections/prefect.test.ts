import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile, SMALLEST } from '../test-file.ts';

const file = openTestFile();
afterAll(() => file.remove());

describe('prefect.timeout', () => {
  const withTimeout = (timeout: string): string => SMALLEST.replace('prefect: {', `prefect: { timeout: ${timeout},`);

  it.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['1h', 3_600_000],
  ])('takes %s', (timeout, answerTimeoutMs) => {
    expect(file.accepted(withTimeout(timeout)).prefect).toMatchObject({ answerTimeoutMs });
  });

  it.each(['500ms', '2h', '55', 'soon'])('refuses %s', (timeout) => {
    expect(file.problems(withTimeout(timeout)).map(({ path }) => path)).toEqual(['prefect.timeout']);
  });
});
