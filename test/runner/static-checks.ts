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

/** The types of the admin API in the console come from the API's document. */
const TYPE_CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['tsc', '-p', '.'],
  ['../../console/node_modules/.bin/openapi-typescript', 'docs/reference/openapi.json', '-o', 'console/src/api/schema.d.ts', '--check'],
  ['tsc', '-p', 'console'],
];

/** The console has its own settings: JSX, and what a browser has. */
const types: Suite = {
  name: 'types',
  summary: 'types of the gateway and of the console (tsc)',
  async run(context) {
    for (const command of TYPE_CHECKS) {
      const outcome = await tool('types', '', command).run(context);
      if (outcome.failed > 0) return outcome;
    }
    return PASSED;
  },
};

export const STATIC_CHECKS: readonly Suite[] = [lint, types, tool('unused', 'unused files, exports and dependencies (knip)', ['knip'])];
