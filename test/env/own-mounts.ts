// A `lictor` command that sees other file systems than everybody else: full ones, small ones, slow ones. Root only.
import { type Finished, run } from './process.ts';
import { MAIN } from './program.ts';

/** `mounts` are shell commands that run before it. Whatever they mount goes away with the command, even when it is killed. */
export function runInOwnMounts(mounts: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  const script = `set -e\n${mounts}\nexec "$0" "$@"`;
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', script, process.execPath, MAIN, ...args];
  return run({ name: `lictor ${args[0]} with other mounts`, command: 'unshare', args: command, env, timeoutMs: 60_000 });
}
