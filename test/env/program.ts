// The command line that tests start.
import { resolve } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';

/** The sources, where a developer runs vitest; `./lictor test` builds the program and names it. */
export const MAIN = resolve(REPOSITORY, process.env['LICTOR_TEST_PROGRAM'] ?? 'src/cli/main.ts');
