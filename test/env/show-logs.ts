// A vitest setup file: when a test fails, what every process of its file printed is shown.
import { beforeEach } from 'vitest';
import { journalTail } from './process.ts';

beforeEach((context) => {
  context.onTestFailed(() => {
    process.stderr.write(`\n${journalTail(4_000)}\n`);
  });
});
