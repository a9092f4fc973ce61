// The stored logins of `lictor login`: one for each gateway, in the user's configuration directory, mode 0600.
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../../contract/errno.ts';
import { SourceError } from '../credential.ts';
import { inTurn } from './lock.ts';

/** The form of a login in the file. `principal`: `alice@corp`, at the time of the login. */
const storedLogin = z
  .object({
    access_token: z.string(),
    expires_at: z
      .string()
      .transform((text) => Date.parse(text))
      .pipe(z.number()),
    refresh_token: z.string(),
    principal: z.string(),
  })
  .transform(({ access_token: accessToken, expires_at: expiresAtMs, refresh_token: refreshToken, principal }) => ({
    accessToken,
    expiresAtMs,
    refreshToken,
    principal,
  }));

/** `logins`: by the gateway's address, with its path. `current`: the gateway of the last login. */
const storedCredentials = z
  .object({ version: z.literal(1), current: z.string().nullable().catch(null), logins: z.record(z.string(), storedLogin) })
  .transform(({ current, logins }) => ({ current, logins }));

export type StoredLogin = Readonly<z.output<typeof storedLogin>>;
export type StoredCredentials = Readonly<z.output<typeof storedCredentials>>;

export interface Credentials {
  readonly file: string;
  /** Throws SourceError if the file exists and is not usable. */
  read(): StoredCredentials;
  /** Excludes all other processes of the user: it reads what they have written, and they continue after its write. */
  change<T>(work: (stored: StoredCredentials, write: (stored: StoredCredentials) => void) => Promise<T>): Promise<T>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const NOTHING: StoredCredentials = { current: null, logins: {} };

export function openCredentials(env: Environment, platform: NodeJS.Platform = process.platform): Credentials {
  const dir = configDir(env, platform);
  const file = join(dir, 'credentials.json');
  return {
    file,
    read: () => read(file),
    change: (work) => inTurn(join(dir, 'credentials.lock'), () => work(read(file), (stored) => write(dir, file, stored))),
  };
}

/** The operating system's directory for settings of a user. */
function configDir(env: Environment, platform: NodeJS.Platform): string {
  const given = (name: string): string | undefined => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const own = given('LICTOR_CONFIG_DIR');
  if (own !== undefined) return own;
  const home = given('HOME') ?? homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'lictor');
  if (platform === 'win32') return join(given('APPDATA') ?? join(home, 'AppData', 'Roaming'), 'lictor');
  return join(given('XDG_CONFIG_HOME') ?? join(home, '.config'), 'lictor');
}

function read(file: string): StoredCredentials {
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new SourceError(`${file} can be read by other users of the machine: chmod 600 it, and log in again if it was open for long.`, { final: true });
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    if (isErrno(cause, 'ENOENT')) return NOTHING;
    throw new SourceError(`${file} cannot be read.`, { final: true, cause });
  }
  const stored = parseStored(text);
  if (stored === undefined) throw new SourceError(`${file} is damaged: remove it and log in again.`, { final: true });
  return stored;
}

/** Atomic: a crash must not leave half a file, since a refresh token works once. */
function write(dir: string, file: string, stored: StoredCredentials): void {
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const fd = openSync(draft, 'wx', 0o600);
    try {
      writeSync(fd, renderStored(stored));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    chmodSync(draft, 0o600);
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new SourceError(`${file} cannot be written: check the owner of its directory and the disk space.`, { final: true, cause });
  }
}

function renderStored({ current, logins }: StoredCredentials): string {
  const wire = Object.entries(logins).map(([gateway, { accessToken, expiresAtMs, refreshToken, principal }]) => [
    gateway,
    { access_token: accessToken, expires_at: new Date(expiresAtMs).toISOString(), refresh_token: refreshToken, principal },
  ]);
  return `${JSON.stringify({ version: 1, current, logins: Object.fromEntries(wire) }, null, 2)}\n`;
}

function parseStored(text: string): StoredCredentials | undefined {
  try {
    return storedCredentials.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
