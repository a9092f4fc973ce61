// Services of a Compose project as containers of this machine, started as `docker compose up` does: order, health checks, volumes, networks, users. Root only.
// A real Docker does it in test/endurance/image.test.ts.
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../../../src/cli/repository.ts';
import { waitFor } from '../process.ts';
import type { Project, Service } from './compose.ts';
import { type Container, type Mount, startContainer, type User } from './container.ts';
import { type Members, type Networks, startNetworks } from './network.ts';

export interface UpOptions {
  readonly project: Project;
  /** Of `project`, those to start. */
  readonly names: readonly string[];
  /** Further members of networks, by network. */
  readonly beside: Readonly<Record<string, readonly string[]>>;
  /** Has the volumes. */
  readonly directory: string;
  /** The tree of a release, with its Node as bin/node. */
  readonly program: string;
}

export interface Up {
  readonly networks: Networks;
  readonly containers: ReadonlyMap<string, Container>;
  /** The address of a member in a network. */
  address(member: string, network: string): string;
  stop(): Promise<void>;
}

const LICTOR: User = { uid: 65_532, gid: 65_532, group: 65_532 };
/** Of the image of HAProxy. */
const HAPROXY: User = { uid: 99, gid: 99, group: 99 };

/** Starts the networks. `up` then starts the services, and resolves when all are healthy. */
export async function composeUp(options: UpOptions): Promise<Up & { up(): Promise<void> }> {
  const { project, names, beside } = options;
  const members = membersOf(project, [...names, ...Object.keys(beside)], beside);
  const networks = await startNetworks(members);
  const address = (member: string, network: string): string => (members[member]?.[network] ?? '').replace(/\/.*/, '');
  const containers = new Map<string, Container>();
  const healthy = new Set<string>();
  const hostsOf = (name: string, { extra_hosts = [] }: Service) => [
    ...extra_hosts.map((host) => host.split('=').toReversed() as [string, string]),
    // As the name server of Docker answers: each other service in a network that both are in.
    ...Object.keys(members[name] ?? {}).flatMap((network) =>
      Object.keys(members).flatMap((other) => (members[other]?.[network] === undefined ? [] : [[address(other, network), other] as const])),
    ),
  ];
  const startOne = async (name: string): Promise<void> => {
    const service = project.services[name];
    if (service === undefined) throw new Error(`compose has no service ${name}`);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) if (containers.has(other)) await reached(other, condition);
    const { volumes = [], hostname = name } = service;
    const place = join(options.directory, 'containers', name);
    const mounts = [...volumes.map((volume) => mountOf(volume, options.directory)), ...imageOf(service).mounts, { from: temporary(place), to: '/tmp' }];
    const { user, command, env } = imageOf(service);
    const container = { name, directory: place, program: options.program, mounts, user, command, hostname };
    containers.set(name, await startContainer({ ...container, env, hosts: hostsOf(name, service), network: networks.inside(name) }));
  };
  const reached = async (name: string, condition: string): Promise<void> => {
    const container = containers.get(name);
    if (condition === 'service_completed_successfully') {
      if ((await container?.exited)?.code !== 0) throw new Error(`${name}: ${container?.output()}`);
      return;
    }
    const [, ...test] = project.services[name]?.healthcheck?.test ?? [];
    if (healthy.has(name) || test.length === 0) return;
    await waitFor(async () => (await container?.exec(...test))?.code === 0, { what: `${name} to be healthy`, everyMs: 1_000, timeoutMs: 60_000 });
    healthy.add(name);
  };
  return {
    networks,
    containers,
    address,
    async up() {
      for (const name of inOrder(project, names)) await startOne(name);
      await Promise.all(names.map((name) => reached(name, 'service_healthy')));
    },
    async stop() {
      for (const container of [...containers.values()].toReversed()) {
        container.signal('SIGTERM');
        await container.exited;
      }
      await networks.stop();
    },
  };
}

function inOrder({ services }: Project, names: readonly string[]): readonly string[] {
  const ordered = new Set<string>();
  const add = (name: string): void => {
    for (const other of Object.keys(services[name]?.depends_on ?? {})) if (names.includes(other)) add(other);
    ordered.add(name);
  };
  for (const name of names) add(name);
  return [...ordered];
}

/** The address that the file gives, or the next one. */
function membersOf(project: Project, names: readonly string[], beside: UpOptions['beside']): Members {
  const all = Object.keys(project.networks);
  const of = (name: string, index: number) => {
    const { networks = {} } = project.services[name] ?? {};
    return [...Object.keys(networks), ...(beside[name] ?? [])].map((network) => {
      const subnet = project.networks[network]?.ipam?.config?.[0]?.subnet ?? `10.88.${all.indexOf(network)}.0/24`;
      const given = networks[network]?.ipv4_address ?? subnet.replace(/\d+\/.*/, String(index + 10));
      return [network, given + subnet.slice(subnet.indexOf('/'))] as const;
    });
  };
  return Object.fromEntries(names.map((name, index) => [name, Object.fromEntries(of(name, index))]));
}

/** What the image of a service brings: its user, its entrypoint, and Postgres. */
function imageOf({ image, entrypoint, command, environment = {} }: Service): {
  readonly user: User;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
} {
  const words = [...(entrypoint ?? []), ...(command ?? [])];
  if (image.startsWith('haproxy:')) return { user: HAPROXY, command: [...words, '-W', '-db'], env: environment, mounts: [] };
  if (image.startsWith('postgres:')) {
    const [bin = ''] = globSync('/usr/lib/postgresql/*/bin');
    const env = { ...environment, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const standIn = { from: join(import.meta.dirname, 'postgres-stand-in.sh'), to: '/stand-in.sh', readOnly: true };
    return { user: 'all', command: ['sh', '/stand-in.sh'], env, mounts: [standIn] };
  }
  return { user: LICTOR, command: words.length === 0 ? ['lictor', 'up'] : words, env: environment, mounts: [] };
}

/** A new volume takes its owner from the directory of the image. */
function mountOf({ type, source, target, read_only: readOnly = false }: NonNullable<Service['volumes']>[number], directory: string): Mount {
  if (type === 'bind') return { from: source, to: target, readOnly };
  const from = join(directory, 'volumes', source);
  if (!existsSync(from)) makeVolume(from, OF_IMAGE.has(target));
  return { from, to: target, readOnly };
}

/** The directories that the image of Lictor has for volumes. */
const OF_IMAGE = new Set(readFileSync(join(REPOSITORY, 'packaging/image/Containerfile'), 'utf8').match(/(?<=\s)\/(?:secrets|var\/lib)\/\S+/g));

function makeVolume(directory: string, isOfImage: boolean): void {
  mkdirSync(dirname(directory), { recursive: true });
  mkdirSync(directory);
  chmodSync(directory, isOfImage ? 0o700 : 0o755);
  if (isOfImage) chownSync(directory, 65_532, 65_532);
}

/** Of a tmpfs, or of the writable root that some images need. */
function temporary(place: string): string {
  const directory = join(place, 'tmp');
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o1777);
  return directory;
}

/** Writes a secret before `setup` does. */
export function volumeOf(directory: string, name: string): string {
  const volume = join(directory, 'volumes', name);
  if (!existsSync(volume)) makeVolume(volume, true);
  return volume;
}
