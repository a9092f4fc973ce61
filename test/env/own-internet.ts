// A separate internet for a program: a network namespace with public addresses on loopback, and names from a file. Root only.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bringProgram } from '../runner/programs.ts';
import { type Finished, run } from './process.ts';

/** No machine outside the namespace has it. Local, but not the address of an interface, as the address of a foreign machine. */
export const PUBLIC_ADDRESS = '93.184.216.34';

const NETWORK = '93.184.216.0/24';

export interface OwnInternet {
  /** For files; the hosts file is among them. */
  readonly directory: string;
  /** A module of this repository. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** `program` gets the path of the hosts file, which it may change, as its argument. All of it is gone with the program. */
export async function runInOwnInternet({ directory, program, env, timeoutMs }: OwnInternet): Promise<Finished> {
  await bringProgram('ip', process.env, (line) => void process.stderr.write(`${line}\n`));
  const hosts = join(directory, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  const script = `set -e
ip link set lo up
ip route add local ${NETWORK} dev lo
mount --bind ${hosts} /etc/hosts
exec "$0" "$@"`;
  const args = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, process.execPath, program, hosts];
  return run({ name: 'a program with an internet of its own', command: 'unshare', args, env, timeoutMs });
}
