// The program of the commit before this one, built in its own work tree.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { type Finished, run } from './process.ts';

export interface PreviousBuild {
  readonly program: string;
  readonly commit: string;
  remove(): Promise<void>;
}

/** Fails in a clone without that commit: a test without it would prove nothing. */
export async function buildPrevious(): Promise<PreviousBuild> {
  const found = await git('rev-parse', '--verify', 'HEAD^');
  if (found.code !== 0) throw new Error(`this clone lacks the commit before: git fetch --deepen 1. ${found.output}`);
  const commit = found.output.trim();
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-previous-'));
  const tree = join(home, 'tree');
  const remove = async (): Promise<void> => {
    await git('worktree', 'remove', '--force', tree);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await must(git('worktree', 'add', '--detach', tree, commit));
    symlinkSync(join(REPOSITORY, 'node_modules'), join(tree, 'node_modules'));
    await must(run({ name: 'build', command: 'npm', args: ['run', '-s', 'build'], cwd: tree, env: process.env, timeoutMs: 300_000 }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { program: join(tree, 'dist', 'main.js'), commit, remove };
}

function git(...args: readonly string[]): Promise<Finished> {
  return run({ name: `git ${args[0]}`, command: 'git', args, cwd: REPOSITORY, env: process.env });
}

async function must(running: Promise<Finished>): Promise<void> {
  const { code, output } = await running;
  if (code !== 0) throw new Error(output);
}
