// `lictor migrate workers --tokens DIR`: a token for each worker, in a file that only its owner may read. The secret is nowhere else.
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../contract/clock.ts';
import type { Worker } from '../operations/doctor/outside/all-workers.ts';
import { baseOf } from '../operations/doctor/outside/door.ts';
import { tokenNameOf } from '../operations/doctor/outside/worker-token-name.ts';
import { environmentFile } from '../operations/migrate/setup-lines.ts';
import { openStore } from '../store/store.ts';
import type { AdminSession } from './admin.ts';
import type { LoadedContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { scopeOf } from './scope.ts';
import { issueToken } from './token.ts';
import { whyNotWritten } from './write-whole.ts';

/** `created`: now. `there`: by an earlier call. `lost`: the token exists and its file does not. `none`: nobody asked for it. */
export interface WorkerToken extends Worker {
  readonly token: string;
  readonly file: string;
  readonly state: 'created' | 'there' | 'lost' | 'none';
}

interface Request {
  /** Undefined: creates nothing. */
  readonly directory: string | undefined;
  readonly workers: readonly Worker[];
}

export async function createWorkerTokens(loaded: LoadedContext, { directory, workers }: Request): Promise<readonly WorkerToken[]> {
  if (directory === undefined) return workers.map((worker) => ({ ...placeOf('DIR', worker), state: 'none' }));
  const place = resolve(directory);
  const store = await openStore({ at: loaded.config.storeAt, clock: systemClock });
  try {
    const made: WorkerToken[] = [];
    for (const worker of workers) made.push(await createOne({ ...loaded, store }, placeOf(place, worker)));
    return made;
  } finally {
    await store.close();
  }
}

function placeOf(directory: string, { pool, name }: Worker): Omit<WorkerToken, 'state'> {
  const token = tokenNameOf({ pool, name });
  return { pool, name, token, file: join(directory, `${token}.env`) };
}

async function createOne(session: AdminSession, place: Omit<WorkerToken, 'state'>): Promise<WorkerToken> {
  const isThere = (statSync(place.file, { throwIfNoEntry: false })?.size ?? 0) > 0;
  if ((await session.store.tokens.byName(place.token)) !== undefined) return { ...place, state: isThere ? 'there' : 'lost' };
  if (isThere)
    throw new CommandFailed(`${place.file} is there, and its token ${place.token} is not: it was revoked. Remove the file, or give another --tokens.`);
  await writeNew(session, place);
  return { ...place, state: 'created' };
}

/** The file is opened first, so that no token exists whose secret cannot be stored. */
async function writeNew(session: AdminSession, { pool, token, file }: Omit<WorkerToken, 'state'>): Promise<void> {
  const { publicUrl, tls } = session.config;
  const handle = openNew(file);
  try {
    const scope = scopeOf({ pool: [pool] });
    const secret = await issueToken(session, { name: token, roles: ['worker'], scope, cidrs: [], lifetimeMs: null });
    writeSync(handle, environmentFile({ apiUrl: `${baseOf(publicUrl)}/api`, caFile: tls?.selfMadeBy ?? null }, secret));
    fsyncSync(handle);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** An interrupted call leaves an empty file. */
function openNew(file: string): number {
  try {
    mkdirSync(resolve(file, '..'), { recursive: true, mode: 0o700 });
    rmSync(file, { force: true });
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new CommandFailed(`${file} was not written, and no token was created: ${whyNotWritten(error, file)}`, error);
  }
}
