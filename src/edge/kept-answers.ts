// Ends what is kept of services' answers when it may not even stand for a service that is away: nginx knows no such bound, it keeps what is asked for.
import { open, readdir, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../contract/clock.ts';

export interface KeptWatch {
  /** Removes what is overdue. Call it each second. */
  look(): Promise<void>;
}

export interface KeptWatchParts {
  readonly dirs: () => readonly string[];
  readonly clock: Clock;
  /** Told once of each kind of failure, until it is over; what it was met at stays, and is tried again. */
  readonly log: Pick<Logger, 'warn'>;
}

type Failed = (path: string, error: unknown) => void;

export function createKeptWatch({ dirs, clock, log }: KeptWatchParts): KeptWatch {
  let deadlines = new Map<string, number>();
  let told = new Set<string>();
  let running: Promise<void> | undefined;
  const round = async (): Promise<void> => {
    const nowSeconds = Math.floor(clock() / 1000);
    const next = new Map<string, number>();
    const met = new Set<string>();
    const failed: Failed = (path, error) => {
      const code = codeOf(error);
      if (code === GONE) return;
      if (!told.has(code) && !met.has(code))
        log.warn({ code, path }, 'what is kept of an answer can be neither read nor removed: it may stand for longer than it should');
      met.add(code);
    };
    for (const file of await keptFiles(dirs(), failed)) {
      const known = deadlines.get(file);
      try {
        // What was known may have been fetched anew, under the same name.
        const deadline = known !== undefined && known >= nowSeconds ? known : await deadlineOf(file);
        if (deadline < nowSeconds) await rm(file);
        else next.set(file, deadline);
      } catch (error) {
        failed(file, error);
      }
    }
    deadlines = next;
    told = met;
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

/** nginx was quicker, or everything was swept away, or nothing was kept yet. */
const GONE = 'ENOENT';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

/** nginx's levels are one directory deep; what it is still writing has a longer name. */
async function keptFiles(dirs: readonly string[], failed: Failed): Promise<readonly string[]> {
  const inside = (paths: readonly string[]) => Promise.all(paths.map((path) => within(path, failed)));
  const levels = (await inside(dirs)).flat().filter((path) => /\/[0-9a-f]$/.test(path));
  return (await inside(levels)).flat().filter((path) => /\/[0-9a-f]{32}$/.test(path));
}

async function within(dir: string, failed: Failed): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).map((name) => join(dir, name));
  } catch (error) {
    failed(dir, error);
    return [];
  }
}

const HEAD_BYTES = 1024;
/** A file that says what cannot be is none of nginx's, or one of a version that writes them otherwise: it ends at once. */
const OVERDUE = 0;

/**
 * Epoch seconds; rejects where the file cannot be read. nginx's ngx_http_file_cache_header_t begins with its version and the end of validity, each of eight bytes (1.18 to 1.31 alike);
 * behind it stands the key, whose first word is how long the answer may stand beyond that (render-service-cache.ts).
 */
async function deadlineOf(file: string): Promise<number> {
  const head = await readHead(file);
  const [, staleSeconds] = /\nKEY: ([0-9]{1,9}) /.exec(head.toString('latin1')) ?? [];
  if (staleSeconds === undefined) return OVERDUE;
  const validSeconds = Number(endianness() === 'LE' ? head.readBigInt64LE(8) : head.readBigInt64BE(8));
  return Number.isSafeInteger(validSeconds) ? validSeconds + Number(staleSeconds) : OVERDUE;
}

/** Rejects where it cannot be read. */
async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
