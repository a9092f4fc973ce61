// A separate network for a program: only loopback and one interface without a peer outside. It may load rules of nftables. Root only.
import { bringProgram } from '../runner/programs.ts';
import { type Finished, run } from './process.ts';

/** Addresses of the interface. No machine outside has them. */
export const MACHINE = '10.77.0.1';
export const MACHINE_SIX = 'fd77::1';

export interface OwnNetwork {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** The network is gone with the program. */
export async function runInOwnNetwork({ name, command, env, timeoutMs }: OwnNetwork): Promise<Finished> {
  for (const program of ['ip', 'nft'] as const) await bringProgram(program, process.env, (line) => void process.stderr.write(`${line}\n`));
  const script = `set -e
PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
ip link add inside type veth peer name other
ip addr add ${MACHINE}/24 dev inside
ip -6 addr add ${MACHINE_SIX}/64 dev inside nodad
ip link set inside up
ip link set other up
exec "$0" "$@"`;
  return run({ name, command: 'unshare', args: ['--net', 'sh', '-c', script, ...command], env, timeoutMs });
}
