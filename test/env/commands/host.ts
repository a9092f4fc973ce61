// The process that runs short `lictor` commands of tests one after the other. Each starts as in a new process. The host ends with its parent.
import { setTimeout as delay } from 'node:timers/promises';
import type { main as Main } from '../../../src/cli/main.ts';
import type { Call, Told } from './call.ts';

const { main }: { readonly main: typeof Main } = await import(process.argv[2] ?? '');
const cwd = process.cwd();
const umask = process.umask();

process.on('disconnect', () => process.exit());
process.on('message', (call: Call) => void answer(call));

/** What a command throws beside its own promise ends this process, as it would end the command's own. */
async function answer({ args, env }: Call): Promise<void> {
  begin(env);
  const busy = process.getActiveResourcesInfo().length;
  process.exitCode = await main({ args, out: process.stdout, err: process.stderr, env: process.env, cwd });
  // A process ends when nothing is left to do, so a command that leaves something open does not end here either.
  while (process.getActiveResourcesInfo().length > busy) await delay(5);
  const told: Told = { status: Number(process.exitCode) };
  process.send?.(told);
}

function begin(env: Call['env']): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
  process.umask(umask);
  process.exitCode = undefined;
}
