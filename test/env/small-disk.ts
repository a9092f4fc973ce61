// A small, separate file system for a state directory, in a mount namespace that only its processes see. Root only.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, start, waitFor } from './process.ts';

export interface SmallDisk {
  /** Empty outside. */
  readonly directory: string;
  /** What runs a command inside. */
  readonly command: readonly string[];
  /** A file of the state directory as it is inside. */
  read(name: string): string;
  /** Takes every byte that is left, or left again. */
  fill(): Promise<void>;
  freeBytes(): Promise<number>;
  /** Gives it back. */
  free(): Promise<void>;
  close(): Promise<void>;
}

/** `mebibytes`: all that it holds. It is gone with the last process inside, even when this one is killed. */
export async function startSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const parent = mkdtempSync(join(tmpdir(), 'lictor-small-disk-'));
  const directory = join(parent, 'state');
  mkdirSync(directory);
  const script = `mount -t tmpfs -o size=${mebibytes}m,mode=0711 tmpfs "$1" && echo mounted && exec sleep infinity`;
  const holder = await start({
    name: 'a small disk',
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', directory],
    env: { PATH: process.env['PATH'] },
  });
  // Who enters before sees the machine's own file systems.
  await waitFor(() => holder.output().includes('mounted'), { what: 'the small disk to be mounted' });
  const command = ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--'];
  const [program = '', ...args] = command;
  const inside = (name: string, ...line: string[]) =>
    run({ name, command: program, args: [...args, ...line], env: { PATH: process.env['PATH'] }, timeoutMs: 30_000 });
  const filler = join(directory, 'filler');
  return {
    directory,
    command,
    read: (name) => readFileSync(join('/proc', String(holder.pid), 'root', directory, name), 'utf8'),
    // dd ends with an error: that is the full disk. In small pieces, so that nothing is left.
    fill: async () => void (await inside('fill', 'sh', '-c', `for bs in 1M 4k; do dd if=/dev/zero of=${filler} oflag=append conv=notrunc bs=$bs; done; true`)),
    async freeBytes() {
      const { output } = await inside('look', 'stat', '--file-system', '--format=%a %S', directory);
      const [blocks = 0, size = 0] = output.trim().split(' ').map(Number);
      return blocks * size;
    },
    free: async () => void (await inside('free', 'rm', '-f', filler)),
    async close() {
      await holder.stop({ graceMs: 1_000 });
      rmSync(parent, { recursive: true, force: true });
    },
  };
}
