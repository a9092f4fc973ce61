// Ends what is kept of services' answers when it may not even stand for a service that is away: nginx knows no such bound, it keeps what is asked for.
import { open, readdir, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../contract/clock.ts';

export interface KeptWatch {
  /** Removes what is overdue. Call it each second. */
  look(): Promise<void>;
}

export function createKeptWatch(dirs: () => readonly string[], clock: Clock): KeptWatch {
  let deadlines = new Map<string, number>();
  let running: Promise<void> | undefined;
  const round = async (): Promise<void> => {
    const nowSeconds = Math.floor(clock() / 1000);
    const next = new Map<string, number>();
    for (const file of await keptFiles(dirs())) {
      const known = deadlines.get(file);
      // What was known may have been fetched anew, under the same name.
      const deadline = known !== undefined && known >= nowSeconds ? known : await deadlineOf(file);
      if (deadline < nowSeconds) await rm(file, { force: true });
      else next.set(file, deadline);
    }
    deadlines = next;
  };
  return {
    look() {
      running ??= round().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** nginx's levels are one directory deep; what it is still writing has a longer name. */
async function keptFiles(dirs: readonly string[]): Promise<readonly string[]> {
  const levels = (await Promise.all(dirs.map(within))).flat().filter((path) => /\/[0-9a-f]$/.test(path));
  return (await Promise.all(levels.map(within))).flat().filter((path) => /\/[0-9a-f]{32}$/.test(path));
}

async function within(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((): readonly string[] => []); // swept away, or not made yet
  return names.map((name) => join(dir, name));
}

const HEAD_BYTES = 1024;
/** A file that says what cannot be is none of nginx's, or one of a version that writes them otherwise: it ends at once. */
const OVERDUE = 0;

/**
 * Epoch seconds. nginx's ngx_http_file_cache_header_t begins with its version and the end of validity, each of eight bytes (1.18 to 1.31 alike);
 * behind it stands the key, whose first word is how long the answer may stand beyond that (render-service-cache.ts).
 */
async function deadlineOf(file: string): Promise<number> {
  const head = await readHead(file);
  const [, staleSeconds] = /\nKEY: ([0-9]{1,9}) /.exec(head.toString('latin1')) ?? [];
  if (staleSeconds === undefined) return OVERDUE;
  const validSeconds = Number(endianness() === 'LE' ? head.readBigInt64LE(8) : head.readBigInt64BE(8));
  return Number.isSafeInteger(validSeconds) ? validSeconds + Number(staleSeconds) : OVERDUE;
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file).catch(() => undefined); // nginx was quicker
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
