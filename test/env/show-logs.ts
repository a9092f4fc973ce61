// A vitest setup file: when a test fails, what every process of its file printed is shown; at the end of the file none is left, and nothing noted.
import { afterAll, beforeEach } from 'vitest';
import { journalTail, stopLeftOvers } from './process.ts';
import { forgetSecrets } from './stored-secrets.ts';

beforeEach((context) => {
  context.onTestFailed(() => {
    process.stderr.write(`\n${journalTail(4_000)}\n`);
  });
});

// Hooks run in reverse order: the file's own clean-up comes before this.
afterAll(forgetSecrets);
afterAll(stopLeftOvers, 60_000);
