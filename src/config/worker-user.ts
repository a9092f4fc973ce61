// The user of nginx's workers: the user of the gateway, or another one if that is root.
import { readFileSync } from 'node:fs';

export interface WorkerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference: the user that the launcher creates, that of Debian, of other distributions, of every system. */
const CANDIDATES = ['lictor-edge', 'www-data', 'nginx', 'nobody'];

/** The user to put into nginx's `user` directive; null when we are not root (workers are then the same user as we). */
export function nginxWorkerUser(): WorkerUser | null {
  if (process.getuid?.() !== 0) return null;
  return chooseWorkerUser(readFileSync('/etc/passwd', 'utf8'));
}

/** The first candidate that the passwd text knows and that is not root. */
export function chooseWorkerUser(passwd: string): WorkerUser | null {
  for (const candidate of CANDIDATES) {
    const fields =
      passwd
        .split('\n')
        .find((line) => line.startsWith(`${candidate}:`))
        ?.split(':') ?? [];
    const uid = Number(fields[2] ?? '');
    const gid = Number(fields[3] ?? '');
    if (Number.isInteger(uid) && uid > 0 && Number.isInteger(gid)) return { name: candidate, uid, gid };
  }
  return null;
}
