// The ledger's signing key: a file of the state directory, outside the database.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { makeOnce } from '../../../config/make-once.ts';
import { isErrno } from '../../../contract/errno.ts';
import { LictorError } from '../../../contract/error.ts';
import { type SigningKey, signingKey } from './statement.ts';

/** Reads the key, or creates it (0600). Throws `ledger-key-invalid` when the file has no valid key. */
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

/** For a reader: the key with that id, in its file or in the file of an unfinished rotation. Undefined: neither. */
export function findKey(file: string, id: string): SigningKey | undefined {
  const isIt = (key: SigningKey | undefined): key is SigningKey => key?.id === id;
  // A rotation may rename the file between two reads.
  return [file, nextKeyFile(file), file].map(readKey).find(isIt);
}

/** A rotation's new key is here until the ledger has the change. */
export function nextKeyFile(file: string): string {
  return `${file}.next`;
}

export function makeNextKey(file: string): SigningKey {
  rmSync(nextKeyFile(file), { force: true });
  return makeKey(nextKeyFile(file));
}

/** The ledger has the change to this key, so it replaces the old key. Another writer may have done that already, and started the next rotation. */
export function takeNextKey(file: string, id: string): void {
  if (readKey(nextKeyFile(file))?.id === id) renameSync(nextKeyFile(file), file);
}

/** The key that signed last, whose id is `named`. Undefined: nothing is signed yet. Throws `ledger-key-invalid` when that key is missing. */
export function loadKey(file: string, named: string | undefined): SigningKey {
  const key = named === undefined ? ensureKey(file) : readKey(file);
  if (key !== undefined && (named === undefined || key.id === named)) return key;
  const next = readKey(nextKeyFile(file));
  if (next === undefined || next.id !== named) {
    throw new LictorError('ledger-key-invalid', `${file} is not the key that signed this ledger: restore it from a backup, with its ledger.`);
  }
  takeNextKey(file, next.id); // A committed but unfinished rotation.
  return next;
}

/** There is no key at all. The ledger records that, and a new key signs. */
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
