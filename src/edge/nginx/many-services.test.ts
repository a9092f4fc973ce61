import { expect, it } from 'vitest';
import { testManyServices } from '../../../test/env/many-services.ts';

it('a hundred services fit the tables of nginx: its test has no warning', { timeout: 180_000 }, async () => {
  const lines = await testManyServices(100, process.env);
  expect(lines.filter((line) => line.includes('[warn]'))).toEqual([]);
  expect(lines.at(-1)).toContain('test is successful');
});
