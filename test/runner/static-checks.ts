// Suites that are one tool each: passed or failed.
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { layerProblems, sourceImports } from './layers.ts';
import { checkProse } from './prose.ts';
import { addOutcomes, failed, PASSED, type Suite } from './suite.ts';

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

const biome = tool('lint', 'format, lint and import cycles (Biome)', ['biome', 'ci', '--colors=off']);

/** Biome, the layers, and the prose of pages, comments and names. */
const lint: Suite = {
  name: 'lint',
  summary: 'format, lint and import cycles (Biome); layers; words, sentences and links of the prose',
  async run(context) {
    const outcome = await biome.run(context);
    const problems = [...layerProblems(sourceImports()), ...(await checkProse())];
    if (problems.length === 0) return outcome;
    context.out.write(`${problems.join('\n')}\n`);
    return addOutcomes({ ...outcome, passed: 0 }, failed('lint: layers or prose, see above'));
  },
};

/** Makes the types of the admin API in the console, from the API's document. They are not in the repository (`npm run console:api`). */
const API_TYPES = ['../../console/node_modules/.bin/openapi-typescript', 'docs/reference/openapi.json', '-o', 'console/src/api/schema.d.ts'] as const;

/** Several tools, one after another: the first that fails ends the suite. */
function tools(name: string, summary: string, commands: readonly (readonly [string, ...string[]])[]): Suite {
  return {
    name,
    summary,
    async run(context) {
      for (const command of commands) {
        const outcome = await tool(name, summary, command).run(context);
        if (outcome.failed > 0) return outcome;
      }
      return PASSED;
    },
  };
}

/** The console has its own settings: JSX, and what a browser has. */
const types = tools('types', 'types of the gateway and of the console (tsc)', [API_TYPES, ['tsc', '-p', '.'], ['tsc', '-p', 'console']]);
const unused = tools('unused', 'unused files, exports and dependencies (knip)', [API_TYPES, ['knip']]);

export const STATIC_CHECKS: readonly Suite[] = [lint, types, unused];
