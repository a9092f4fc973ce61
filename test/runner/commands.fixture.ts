// Command lines that end badly, or leave something behind, for commands.test.ts.
import { setTimeout as later } from 'node:timers';
import type { MainOptions } from '../../src/cli/main.ts';

let calls = 0;

export async function main({ args: [word = '', ...rest], out, err, env, cwd }: MainOptions): Promise<number> {
  calls += 1;
  const actions: Readonly<Record<string, () => number | Promise<number>>> = {
    says: () => {
      out.write('to one\n');
      err.write(`${rest.join(' ')}\n`);
      return 0;
    },
    fails: () => 2,
    shows: () => {
      out.write(JSON.stringify({ env: { ...env }, given: cwd, is: process.cwd(), umask: process.umask(), pid: process.pid, calls }));
      return 0;
    },
    spoils: () => {
      process.chdir('/');
      process.umask(0);
      process.env['LEFT'] = 'behind';
      process.exitCode = 7;
      return 0;
    },
    exits: () => {
      out.write('on its way\n');
      process.exit(5);
    },
    'breaks-later': () => {
      later(() => {
        throw new Error('nobody waits for this');
      }, 20);
      return 0;
    },
    'prints-later': () => {
      later(() => out.write('at last\n'), 20);
      return 0;
    },
    'never-ends': () => {
      later(() => undefined, 3_600_000);
      return 0;
    },
    'writes-past': () => {
      process.stdout.write('past its stream\n');
      return 0;
    },
  };
  return (await actions[word]?.()) ?? 1;
}
