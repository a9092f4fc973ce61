// A credential in a file that another program renews: a service token, or a JWT such as Kubernetes projects.
import { readFileSync, statSync } from 'node:fs';
import { readSecretFile } from '../../../config/sections/secret-file.ts';
import type { Clock } from '../../../contract/clock.ts';
import { isErrno } from '../../../contract/errno.ts';
import { type CredentialSource, expiryOf, isBearer, SourceError } from '../credential.ts';

/** Reading a small file costs nothing, so a new token is in use within seconds. */
const LOOK_AGAIN_MS = 5000;
const MAX_BYTES = 65_536;

/** A service token is valid for long, so other users of the machine must not be able to read its file. */
export function tokenFile(file: string, clock: Clock): CredentialSource {
  return fileSource(`The token file ${file}`, () => readPrivately(file), clock);
}

/** Kubernetes projects tokens that are valid for minutes, and chooses the mode of the file. */
export function jwtFile(file: string, clock: Clock): CredentialSource {
  return fileSource(`The JWT file ${file}`, () => readPlainly(file), clock);
}

function fileSource(name: string, read: () => string, clock: Clock): CredentialSource {
  return {
    name,
    async obtain() {
      const secret = read().trim();
      if (secret === '') throw new SourceError(`${name} is empty.`, { final: false });
      if (!isBearer(secret)) throw new SourceError(`${name} holds something else than one token on one line.`, { final: true });
      const expiresAtMs = expiryOf(secret);
      if (expiresAtMs !== null && expiresAtMs <= clock()) throw new SourceError(`${name} holds a token that has expired.`, { final: false });
      return { secret, expiresAtMs, lookAgainMs: LOOK_AGAIN_MS };
    },
  };
}

function readPrivately(file: string): string {
  let problem = `${file} cannot be read.`;
  const text = readSecretFile(file, [], (_keys, message, remedy) => {
    problem = `${message}. ${remedy}`;
  });
  if (text === undefined) throw new SourceError(problem, { final: true });
  return text;
}

function readPlainly(file: string): string {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > MAX_BYTES) throw new SourceError(`${file} is not a file of at most 64 KiB.`, { final: true });
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    const missing = isErrno(cause, 'ENOENT');
    throw new SourceError(`${file} ${missing ? 'does not exist' : 'cannot be read'}.`, { final: true, cause });
  }
}
