// Ends what is kept of services' answers when it may not even stand for a service that is away: nginx knows no such bound, it keeps what is asked for.
import { constants } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { holdDirectory } from '../config/held-directory.ts';
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
    await eachKept(dirs(), failed, async (file, path) => {
      const known = deadlines.get(path);
      // What was known may have been fetched anew, under the same name.
      const deadline = known !== undefined && known >= nowSeconds ? known : await deadlineOf(file);
      if (deadline < nowSeconds) await unlink(file);
      else next.set(path, deadline);
    });
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

/** `file` is how one is reached, behind no link; `path` is what it is called. nginx's levels are one directory deep; what it is still writing has a longer name. */
async function eachKept(dirs: readonly string[], failed: Failed, look: (file: string, path: string) => Promise<void>): Promise<void> {
  for (const dir of dirs) {
    await eachWithin([dir, dir], /^[0-9a-f]$/, failed, (level, path) => eachWithin([level, path], /^[0-9a-f]{32}$/, failed, look));
  }
}

type Reached = readonly [file: string, path: string];

async function eachWithin([dir, path]: Reached, form: RegExp, failed: Failed, look: (...reached: Reached) => Promise<void>): Promise<void> {
  const each = async (held: string): Promise<void> => {
    for (const name of (await readdir(held)).filter((one) => form.test(one))) {
      const own = join(path, name);
      await look(join(held, name), own).catch((error: unknown) => failed(own, error));
    }
  };
  await holdDirectory(dir, each).catch((error: unknown) => failed(path, error));
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

/** No link is followed, and nothing is waited for that is no file. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Rejects where it cannot be read. */
async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file, AS_IT_IS);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
