// Faults between nginx and the control plane: dead processes, sockets, the cache, files for large bodies.
import { chmodSync, chownSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workersAfter } from '../../../env/gateway-processes.ts';
import { signalProcess, waitFor } from '../../../env/process.ts';
import { type Fault, type Planting, placesOf, type Room, SOCKETS } from '../fault.ts';

const DOOR = ['public-url/health', 'public-url/ready', 'public-url/refusal', 'public-url/ui-settings'];

export const EDGE: readonly Fault[] = [
  {
    name: 'a dead nginx',
    fails: ['edge/processes', ...DOOR, ...SOCKETS],
    says: /nginx does not/,
    plant: (room) => killed(room, ({ nginx, workers }) => [nginx, ...workers]),
  },
  {
    name: 'a dead control plane',
    fails: ['edge/processes', ...DOOR, ...SOCKETS],
    says: /the control plane does not/,
    plant: (room) => killed(room, ({ control }) => [control]),
  },
  {
    name: 'a decision socket that is gone',
    fails: ['edge/unix-sockets', 'public-url/refusal', 'public-url/ui-settings'],
    says: /decision\.sock is missing/,
    plant: (room) => forNewWorkers(room, movedAway(placesOf(room).decisionSocket)),
  },
  {
    name: 'a control socket that is gone',
    fails: ['edge/unix-sockets', 'public-url/health', 'public-url/ready', 'public-url/ui-settings'],
    says: /control\.sock is missing/,
    plant: (room) => forNewWorkers(room, movedAway(placesOf(room).controlSocket)),
  },
  {
    name: 'a relay socket that is gone',
    fails: ['edge/unix-sockets', ...SOCKETS],
    says: /relay\.sock is missing/,
    plant: (room) => movedAway(placesOf(room).relaySocket),
  },
  {
    name: 'a file where a socket should be',
    fails: ['edge/unix-sockets'],
    says: /admin\.sock is not a socket/,
    plant: (room) => {
      const { adminSocket } = placesOf(room);
      const planted = movedAway(adminSocket);
      writeFileSync(adminSocket, '');
      return {
        undo: () => {
          rmSync(adminSocket);
          return planted.undo?.();
        },
      };
    },
  },
  {
    name: 'a socket that is open to every user',
    fails: ['edge/unix-sockets'],
    says: /relay\.sock has mode 666/,
    plant: (room) => withMode(placesOf(room).relaySocket, 0o666),
  },
  {
    name: 'a decision cache that every user can read',
    fails: ['edge/decision-cache'],
    says: /the decision cache has mode 755/,
    plant: (room) => withMode(placesOf(room).decisionCache, 0o755),
  },
  {
    name: 'a directory for large bodies that is gone',
    fails: ['edge/temp-dir'],
    says: /the directory for large request bodies .* is missing/,
    plant: (room) => movedAway(join(room.gateway.stateDir, 'tmp')),
  },
];

export const EDGE_AS_ROOT: readonly Fault[] = [
  {
    name: "a decision cache that is not nginx's",
    fails: ['edge/decision-cache'],
    mayFail: ['public-url/refusal', 'public-url/ui-settings'],
    says: /the decision cache belongs to user 0 .* requests fail/,
    plant: (room) => ownedByRoot(placesOf(room).decisionCache),
  },
  {
    name: "a socket that nginx's workers do not own",
    fails: ['edge/unix-sockets', 'public-url/health', 'public-url/ready', 'public-url/ui-settings'],
    says: /control\.sock belongs to user 0/,
    plant: (room) => forNewWorkers(room, ownedByRoot(placesOf(room).controlSocket)),
  },
  {
    name: "a directory for large bodies that nginx's workers cannot write to",
    fails: ['edge/temp-dir'],
    says: /cannot write to .*client_body: large request bodies fail/,
    plant: (room) => ownedByRoot(join(room.gateway.stateDir, 'tmp', 'client_body')),
  },
];

/** The supervisor would start them again at once: it sleeps meanwhile. */
async function killed({ gateway }: Room, choose: (pids: ReturnType<Room['gateway']['pids']>) => readonly number[]): Promise<Planting> {
  const pids = gateway.pids();
  signalProcess(pids.supervisor, 'SIGSTOP');
  for (const pid of choose(pids)) signalProcess(pid, 'SIGKILL');
  return {
    undo: async () => {
      signalProcess(pids.supervisor, 'SIGCONT');
      await waitFor(() => gateway.isReady(), { what: 'the gateway to be whole again', timeoutMs: 60_000 });
    },
  };
}

/** Workers that have no open connection from before. */
async function forNewWorkers({ gateway }: Room, planted: Planting): Promise<Planting> {
  const former = gateway.pids().workers;
  for (const pid of former) signalProcess(pid, 'SIGQUIT');
  await workersAfter(former, gateway.pids);
  return planted;
}

function movedAway(path: string): Planting {
  renameSync(path, `${path}.away`);
  return { undo: () => renameSync(`${path}.away`, path) };
}

function withMode(path: string, mode: number): Planting {
  const former = statSync(path).mode & 0o777;
  chmodSync(path, mode);
  return { undo: () => chmodSync(path, former) };
}

function ownedByRoot(path: string): Planting {
  const { uid, gid } = statSync(path);
  chownSync(path, 0, 0);
  return { undo: () => chownSync(path, uid, gid) };
}
