// Which user nginx's workers run as: ours, unless we are root.
import { readFileSync } from 'node:fs';

export interface WorkerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference: the launcher's, which runs nothing else; Debian's, other distributions', everybody's. */
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
