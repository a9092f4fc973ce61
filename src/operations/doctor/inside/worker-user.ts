// Other programs of nginx's worker user: they could read the decision cache, or trace a worker of nginx.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { WorkerUser } from '../../../config/worker-user.ts';
import { fail, ok, type Verdict } from '../finding.ts';

export interface Program {
  readonly pid: number;
  /** The file name of the executable. */
  readonly name: string;
}

const NAMED = 5;

/** `worker` null: nginx runs as the gateway's user, which may read everything anyway. */
export function checkWorkerUser(worker: WorkerUser | null, programs: (uid: number) => readonly Program[] = programsOf): readonly Verdict[] {
  if (worker === null) return [];
  const others = programs(worker.uid).filter(({ name }) => name !== 'nginx');
  if (others.length === 0) return [ok(`no other program runs as nginx's worker user ${worker.name}`)];
  const named = others.slice(0, NAMED).map(({ pid, name }) => `${name} (${pid})`);
  const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : '';
  return [
    fail(
      `other programs run as nginx's worker user ${worker.name}: ${named.join(', ')}${more}. They can read credentials in the decision cache`,
      'Give nginx a user that runs nothing else: useradd --system --no-create-home --shell /usr/sbin/nologin lictor-edge. Then restart lictor up.',
    ),
  ];
}

/** Only processes of this pid namespace: in a container, the same number is another user. */
export function programsOf(uid: number): readonly Program[] {
  const ours = readlinkSync('/proc/self/ns/pid');
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => programAt(`/proc/${pid}`, uid, ours));
}

function programAt(dir: string, uid: number, ours: string): readonly Program[] {
  try {
    const ids = /^Uid:\s+(.*)$/m.exec(readFileSync(`${dir}/status`, 'utf8'))?.[1] ?? '';
    if (!ids.split(/\s+/).includes(String(uid)) || readlinkSync(`${dir}/ns/pid`) !== ours) return [];
    return [{ pid: Number(basename(dir)), name: nameOf(readlinkSync(`${dir}/exe`), () => readFileSync(`${dir}/maps`, 'utf8')) }];
  } catch {
    return []; // The process has ended, or is a zombie.
  }
}

/** A loader (/lib/ld-linux.so.2 PROGRAM) maps the program as its first executable file. */
export function nameOf(exe: string, maps: () => string): string {
  const named = basename(exe.replace(/ \(deleted\)$/, ''));
  if (!/^ld-.*\.so/.test(named)) return named;
  const mapped = maps()
    .split('\n')
    .flatMap((line) => /^\S+ r-xp \S+ \S+ \S+\s+(\/.*?)(?: \(deleted\))?$/.exec(line)?.[1] ?? [])
    .map((path) => basename(path));
  return mapped.find((name) => !/\.so(?:\.|$)/.test(name)) ?? named;
}
