// Networks of containers: network namespaces with the addresses that a file gives, on one bridge for each network, and without a way outside. Root only.
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bringProgram } from '../../runner/programs.ts';
import { must } from '../packages.ts';
import { type Running, start, waitFor } from '../process.ts';

export interface Networks {
  /** Words that run a program in the namespace of this member. */
  inside(member: string): readonly string[];
  /** Runs forward.ts there; resolves when it listens. */
  forward(member: string, ...pairs: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Addresses with the length of the prefix, by member and network. */
export type Members = Readonly<Record<string, Readonly<Record<string, string>>>>;

export async function startNetworks(members: Members): Promise<Networks> {
  await bringProgram('ip', process.env, (line) => void process.stderr.write(`${line}\n`));
  const holders = new Map<string, Running>();
  for (const member of ['', ...Object.keys(members)]) holders.set(member, await holdNamespace(member));
  const inside = (member: string) => ['nsenter', `--net=/proc/${holders.get(member)?.pid}/ns/net`];
  const networks = [...new Set(Object.values(members).flatMap((addresses) => Object.keys(addresses)))];
  const bridges = networks.flatMap((_, index) => [`link add b${index} type bridge`, `link set b${index} up`]);
  const links = Object.entries(members).flatMap(([member, addresses], index) =>
    Object.keys(addresses).flatMap((network, at) => [
      `link add v${index}x${at} type veth peer name eth${at} netns ${holders.get(member)?.pid}`,
      `link set v${index}x${at} master b${networks.indexOf(network)} up`,
    ]),
  );
  await batch(inside(''), [...bridges, ...links]);
  for (const [member, addresses] of Object.entries(members)) {
    const own = Object.values(addresses).flatMap((address, at) => [`addr add ${address} dev eth${at}`, `link set eth${at} up`]);
    await batch(inside(member), ['link set lo up', ...own]);
  }
  const processes = [...holders.values()];
  return {
    inside,
    async forward(member, ...pairs) {
      const [command = '', ...args] = [...inside(member), process.execPath, join(import.meta.dirname, 'forward.ts'), ...pairs];
      const running = await start({ name: `forward in ${member}`, command, args, env: {} });
      processes.push(running);
      await waitFor(() => running.output().includes('listening'), { what: `${pairs.join(' ')} to listen` });
    },
    stop: async () => void (await Promise.all(processes.map((each) => each.stop({ graceMs: 0 })))),
  };
}

async function holdNamespace(member: string): Promise<Running> {
  const mine = readlinkSync('/proc/self/ns/net');
  const holder = await start({ name: `network of ${member}`, command: 'unshare', args: ['--net', 'sleep', 'infinity'], env: { PATH: '/usr/bin:/bin' } });
  while (readlinkSync(`/proc/${holder.pid}/ns/net`) === mine) await new Promise(setImmediate);
  return holder;
}

async function batch([command = '', ...inside]: readonly string[], lines: readonly string[]): Promise<void> {
  await must(command, [...inside, 'sh', '-c', 'printf "%s\\n" "$@" | ip -batch -', 'sh', ...lines], { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' });
}
