// Several Prefect servers: which of them get requests, told to nginx by files and to the control plane by a list.
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../config/state-dir.ts';
import { nginxWorkerUser } from '../config/worker-user.ts';
import { type ServersHealth, watchServers } from '../prefect/health.ts';

/** Directory of the members' sockets, the worker user's alone (0700): nginx creates sockets that everybody may write to. */
export function balancerDir(paths: StatePaths): string {
  return join(dirname(paths.decisionSocket), 'balancer');
}

/** By the server's address, so that two configurations in a reload mean the same file. */
export function memberName(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 12);
}

/** While this file exists, the member gets no requests: nginx looks at every request, nothing is reloaded. */
export function downFile(paths: StatePaths, url: string): string {
  return join(balancerDir(paths), `down-${memberName(url)}`);
}

/** Before nginx starts or tests a configuration: the directory of the members' sockets is there. */
export function prepareBalancer(paths: StatePaths): void {
  const dir = balancerDir(paths);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const user = nginxWorkerUser();
  if (user !== null) chownSync(dir, user.uid, user.gid);
  chmodSync(dir, 0o700);
}

export interface BalancerParts {
  readonly paths: StatePaths;
  readonly servers: readonly string[];
  /** True when the server answers as a healthy one. */
  readonly probe: (server: string) => Promise<boolean>;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Every member is up until it is found away. With one server there is nothing to choose, and nobody asks it anything. */
export function startBalancer({ paths, servers, probe, log }: BalancerParts): ServersHealth {
  if (servers.length < 2) return { usable: () => servers, stop: async () => undefined };
  for (const server of servers) rmSync(downFile(paths, server), { force: true });
  return watchServers({
    servers,
    probe,
    onChange(index, up) {
      const server = servers[index] ?? '';
      if (up) rmSync(downFile(paths, server), { force: true });
      else writeFileSync(downFile(paths, server), '', { mode: 0o644 });
      log[up ? 'info' : 'warn']({ server, up }, up ? 'Prefect server is back' : 'Prefect server is out: lictor doctor says why');
    },
  });
}
