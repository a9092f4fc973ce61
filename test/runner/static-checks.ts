// Suites that are one tool each: passed or failed.
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { failed, PASSED, type Suite } from './suite.ts';

/** A tool from node_modules/.bin with its arguments; its output is shown when it fails. */
function tool(name: string, summary: string, command: readonly [string, ...string[]]): Suite {
  const [binary, ...args] = command;
  return {
    name,
    summary,
    async run({ out, env }) {
      const { status, output } = await runCommand({ command: join(REPOSITORY, 'node_modules/.bin', binary), args, env, cwd: REPOSITORY });
      if (status === 0) return PASSED;
      out.write(output);
      return failed(`${name}: ${binary}, see above`);
    },
  };
}

export const STATIC_CHECKS: readonly Suite[] = [
  tool('lint', 'format, lint, layers and import cycles (Biome)', ['biome', 'ci', '--colors=off']),
  tool('types', 'types (tsc)', ['tsc', '-p', '.']),
  tool('unused', 'unused files, exports and dependencies (knip)', ['knip']),
];
