// Chooses which of several servers get requests: files mark them for nginx, a list for the control plane.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { downFile } from '../../config/down-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { nginxWorkerUser } from '../../config/worker-user.ts';
import { type Health, type ServersHealth, watchServers } from '../../prefect/client/health.ts';

/**
 * Call it before nginx starts or tests a configuration. Creates the directory of the members' sockets with mode 0700, because nginx creates
 * sockets that any user can write to.
 */
export function prepareBalancer({ memberSockets: dir }: StatePaths): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const user = nginxWorkerUser();
  if (user !== null) chownSync(dir, user.uid, user.gid);
  chmodSync(dir, 0o700);
}

export interface BalancerParts {
  readonly paths: StatePaths;
  readonly servers: readonly string[];
  readonly probe: (server: string) => Promise<Health>;
  readonly intervalMs?: number;
  /** The state of a server changes after this number of equal results in a row. Default: 2. */
  readonly answers?: (seen: Health) => number;
  /** The owner of the servers, for the log. Default: Prefect. */
  readonly whose?: string;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const NEWS = {
  usable: 'server is in use',
  refuses: 'server refuses our credential, so it is passed over: lictor doctor says why',
  slow: 'server does not answer as it should, or not in time: it is out while another one does',
  away: 'server is out: lictor doctor says why',
} as const satisfies Record<Health, string>;

/**
 * A single server is not checked. A server that rejects the credential is not marked, because nginx skips it itself. During a reload, two
 * configurations check with two credentials, and nginx's workers still have the former one. A slow server is marked only while another
 * is usable: slow answers of all servers are no outage.
 */
export function startBalancer({ paths, servers, probe, intervalMs, answers, whose = 'Prefect', log }: BalancerParts): ServersHealth {
  if (servers.length < 2) return { usable: () => servers, stop: async () => undefined };
  const known = new Map(servers.map((server): [string, Health] => [server, existsSync(downFile(paths, server)) ? 'away' : 'usable']));
  const isOut = (health: Health): boolean => health === 'away' || (health === 'slow' && [...known.values()].includes('usable'));
  const tryToMark = (server: string, out: boolean): void => {
    try {
      mark(downFile(paths, server), out);
    } catch (error) {
      log.warn({ server, err: error }, `${whose} server cannot be marked for nginx, which finds out by itself`);
    }
  };
  return watchServers({
    servers,
    probe,
    ...(intervalMs !== undefined && { intervalMs }),
    ...(answers !== undefined && { answers }),
    initial: (server) => known.get(server) ?? 'usable',
    onChange(changed, health) {
      known.set(changed, health);
      for (const [server, found] of known) tryToMark(server, isOut(found));
      log[health === 'usable' ? 'info' : 'warn']({ server: changed, health }, `${whose} ${NEWS[health]}`);
    },
  });
}

/** nginx's workers can write to the directory. So this removes anything in the place of a mark, and never follows or writes to it. */
function mark(file: string, out: boolean): void {
  if (out && lstatSync(file, { throwIfNoEntry: false })?.isFile() === true) return;
  rmSync(file, { force: true });
  if (out) writeFileSync(file, '', { flag: 'wx', mode: 0o644 });
}
