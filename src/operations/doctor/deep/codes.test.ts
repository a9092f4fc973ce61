import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REMEDIES } from './codes.ts';

it('every code of --deep is planted by a test', () => {
  const tests = globSync('**/*.test.ts', { cwd: import.meta.dirname }).map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
  const codes = Object.keys(REMEDIES);
  expect(codes.length).toBeGreaterThan(50);
  expect(codes.filter((code) => !tests.some((text) => text.includes(`'${code}'`)))).toEqual([]);
});
