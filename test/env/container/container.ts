// A container as processes of this machine: its root, mounts, user, host name and network, as an engine would set them. Root only.
// Not checked here: the image, seccomp, and the limits of resources.
import { lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, type Finished, type Running, run, signalProcess, start, waitFor } from '../process.ts';

export interface Mount {
  /** A directory or file of this machine. */
  readonly from: string;
  readonly to: string;
  readonly readOnly?: boolean;
}

export interface ContainerOptions {
  readonly name: string;
  /** Has its root. */
  readonly directory: string;
  /** The tree of a release, with its Node as bin/node. */
  readonly program: string;
  readonly mounts: readonly Mount[];
  readonly command: readonly string[];
  readonly user: User;
  readonly env?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  /** Names that it knows, by address. */
  readonly hosts?: readonly (readonly [address: string, name: string])[];
  /** Words that run a program in its network. None: the network of this machine. */
  readonly network?: readonly string[];
}

/** `all`: with every capability, as images that change to another user themselves. */
export type User = 'all' | { readonly uid: number; readonly gid: number; readonly group: number };

export interface Container {
  exec(...words: readonly string[]): Promise<Finished>;
  output(): string;
  /** To its first process. */
  signal(signal: NodeJS.Signals): void;
  readonly exited: Running['exited'];
}

const PATH = '/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { name, directory, network = [], hostname } = options;
  const user = asUser(options.user);
  const script = [
    ...(hostname === undefined ? [] : [`echo '${hostname}' >/proc/sys/kernel/hostname`]),
    ...rootOf(options),
    ...options.mounts.map((mount) => bind(mount, directory)),
    'mount -o remount,bind,ro "$ROOT"',
    `exec chroot "$ROOT" ${user} "$@"`,
  ];
  const env = { PATH, HOME: '/var/lib/lictor', ...options.env };
  const [command = '', ...args] = [...network, 'unshare', '--mount', '--uts', '--pid', '--fork', '--kill-child', 'sh', '-euc', script.join('\n'), 'sh'];
  const running = await start({ name, command, args: [...args, ...options.command], env: { ...env, ROOT: join(directory, 'root') } });
  // Before, a command in it would run in the root of this machine.
  await waitFor(() => !running.running() || firstInRoot(running.pid) !== 0, { what: `the first process of ${name}` });
  const first = running.running() ? firstInRoot(running.pid) : 0;
  return {
    exec: (...words) => {
      const inside = ['--target', String(first), '--mount', '--uts', '--pid', '--net', '--root', '--wdns=/', ...user.split(' ').filter(Boolean), ...words];
      return run({ name: `exec ${words.join(' ')}`, command: 'nsenter', args: inside, env });
    },
    output: running.output,
    signal: (signal) => void (first === 0 || signalProcess(first, signal)),
    exited: running.exited,
  };
}

/** 0: it is not there yet, or its script still prepares the root. */
function firstInRoot(pid: number): number {
  try {
    const [first = 0] = childrenOf(pid);
    return first !== 0 && readlinkSync(`/proc/${first}/root`) !== '/' ? first : 0;
  } catch {
    // It has ended.
    return 0;
  }
}

/** A root with the programs of this machine, and nothing else that the image has not. */
function rootOf({ directory, program, hosts = [] }: ContainerOptions): readonly string[] {
  const root = join(directory, 'root');
  const rest = ['etc', 'dev', 'proc', 'usr', 'opt/lictor', 'opt/bin', 'tmp', 'run', 'var/lib/lictor'];
  for (const name of rest) mkdirSync(join(root, name), { recursive: true, mode: 0o755 });
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    if (lstatSync(join(root, name), { throwIfNoEntry: false }) === undefined) symlinkSync(`usr/${name}`, join(root, name));
  const users = ['root:x:0:0::/root:/bin/sh', 'lictor:x:65532:65532::/var/lib/lictor:/usr/sbin/nologin', 'nobody:x:65534:65534::/:/usr/sbin/nologin'];
  writeFileSync(join(root, 'etc/passwd'), `${users.join('\n')}\n`);
  writeFileSync(join(root, 'etc/group'), 'nogroup:x:65534:\n');
  writeFileSync(join(root, 'etc/hosts'), `127.0.0.1 localhost\n${hosts.map((words) => `${words.join(' ')}\n`).join('')}`);
  writeFileSync(join(root, 'opt/bin/lictor'), '#!/bin/sh\nexec /opt/lictor/lictor --config /etc/lictor/lictor.yaml --state-dir /var/lib/lictor "$@"\n', {
    mode: 0o755,
  });
  return [
    'mount --make-rprivate /',
    'mount --bind "$ROOT" "$ROOT"',
    'mount --bind /usr "$ROOT/usr"',
    `mount --bind '${program}' "$ROOT/opt/lictor"`,
    'mount --rbind /dev "$ROOT/dev"',
    'mount -t proc proc "$ROOT/proc"',
    // As container engines mount it.
    'mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev,noexec shm "$ROOT/dev/shm"',
  ];
}

function bind({ from, to, readOnly }: Mount, directory: string): string {
  const target = `"$ROOT${to}"`;
  if (lstatSync(from).isDirectory()) mkdirSync(join(directory, 'root', to), { recursive: true });
  else writeFileSync(join(directory, 'root', to), '');
  return `mount --bind '${from}' ${target}${readOnly === true ? ` && mount -o remount,bind,ro ${target}` : ''}`;
}

function asUser(user: User): string {
  if (user === 'all') return '';
  return `setpriv --reuid ${user.uid} --regid ${user.gid} --groups ${user.group} --no-new-privs --bounding-set -all --inh-caps -all`;
}
