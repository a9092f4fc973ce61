// The ledger's signing key: a file of the state directory, outside the database that it vouches for.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { makeOnce } from '../../../config/make-once.ts';
import { isErrno } from '../../../contract/errno.ts';
import { LictorError } from '../../../contract/error.ts';
import { type SigningKey, signingKey } from './statement.ts';

/** Reads the key, or makes it when there is none (0600). Throws `ledger-key-invalid` when the file is there and holds none. */
export function ensureKey(file: string): SigningKey {
  return readKey(file) ?? makeKey(file);
}

/** Undefined: there is no such file. */
export function readKey(file: string): SigningKey | undefined {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') {
      chmodSync(file, 0o600);
      return signingKey(key);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw invalid(file, error);
  }
  throw invalid(file);
}

/** For whoever only looks: the key of that id, in its place or still beside it, where a rotation was committed and not finished. Undefined: it is neither. */
export function findKey(file: string, id: string): SigningKey | undefined {
  const isIt = (key: SigningKey | undefined): key is SigningKey => key?.id === id;
  // It may be put in its place between two looks.
  return [file, nextKeyFile(file), file].map(readKey).find(isIt);
}

/** The one that a rotation brings, beside the one in use until the change is in the ledger. */
export function nextKeyFile(file: string): string {
  return `${file}.next`;
}

/** A new key beside the one in use. */
export function makeNextKey(file: string): SigningKey {
  rmSync(nextKeyFile(file), { force: true });
  return makeKey(nextKeyFile(file));
}

/** The change to the key of that id is in the ledger: the old one signs nothing any more. Whoever writes next may have been quicker, and have begun another change. */
export function takeNextKey(file: string, id: string): void {
  if (readKey(nextKeyFile(file))?.id === id) renameSync(nextKeyFile(file), file);
}

/** The key that signed last, whose id is `named`; undefined: nobody signed yet. Throws `ledger-key-invalid` when it is not there. */
export function loadKey(file: string, named: string | undefined): SigningKey {
  const key = named === undefined ? ensureKey(file) : readKey(file);
  if (key !== undefined && (named === undefined || key.id === named)) return key;
  const next = readKey(nextKeyFile(file));
  if (next === undefined || next.id !== named) {
    throw new LictorError('ledger-key-invalid', `${file} is not the key that signed this ledger: restore it from a backup, with its ledger.`);
  }
  takeNextKey(file, next.id); // A rotation that was committed and not finished.
  return next;
}

/** No key at all: that is said in the ledger, and a new one begins. */
export function keyIsLost(file: string): boolean {
  return readKey(file) === undefined && readKey(nextKeyFile(file)) === undefined;
}

/** Several processes may start at once: the first one's key counts. */
function makeKey(file: string): SigningKey {
  makeOnce(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const key = readKey(file);
  if (key === undefined) throw invalid(file);
  return key;
}

function invalid(file: string, cause?: unknown): LictorError {
  return new LictorError('ledger-key-invalid', `${file} holds no Ed25519 key: restore it from a backup.`, { cause });
}
