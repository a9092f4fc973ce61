// What `lictor login` keeps: one login for each gateway, in the user's own configuration directory, mode 0600.
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../../../contract/errno.ts';
import { SourceError } from '../credential.ts';
import { inTurn } from './lock.ts';

export interface StoredLogin {
  readonly accessToken: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  readonly refreshToken: string;
  /** `alice@corp`, as it was at the login. */
  readonly principal: string;
}

export interface StoredCredentials {
  /** The gateway of the last login. */
  readonly current: string | null;
  /** By the gateway's address, with its path. */
  readonly logins: Readonly<Record<string, StoredLogin>>;
}

export interface Credentials {
  readonly file: string;
  /** Throws SourceError when it is there and cannot be used. */
  read(): StoredCredentials;
  /** Alone among all processes of the user: what it reads is what the others have left, and is in its file when they go on. */
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

/** Where the operating system wants the settings of a user. */
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

/** Whole or not at all: a crash must not leave half a file, and a refresh token is used once. */
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
  const value = parseObject(text);
  if (value === undefined || value['version'] !== 1) return undefined;
  const logins = asObject(value['logins']);
  if (logins === undefined) return undefined;
  const parsed = Object.entries(logins).map(([gateway, login]) => [gateway, parseLogin(asObject(login))] as const);
  if (parsed.some(([, login]) => login === undefined)) return undefined;
  return {
    current: typeof value['current'] === 'string' ? value['current'] : null,
    logins: Object.fromEntries(parsed.flatMap(([key, login]) => (login ? [[key, login]] : []))),
  };
}

function parseLogin(login: Readonly<Record<string, unknown>> | undefined): StoredLogin | undefined {
  const { access_token: accessToken, refresh_token: refreshToken, expires_at: expiresAt, principal } = login ?? {};
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof expiresAt !== 'string' || typeof principal !== 'string') return undefined;
  const expiresAtMs = Date.parse(expiresAt);
  return Number.isNaN(expiresAtMs) ? undefined : { accessToken, expiresAtMs, refreshToken, principal };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
