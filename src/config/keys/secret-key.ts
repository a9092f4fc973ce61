// A key of 256 random bits in a file of the state directory (0600), created at the first start.
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { makeOnce } from '../make-once.ts';

const KEY_BYTES = 32;

/** `loss`: the effect of removing the file. Throws `store-unusable` if the file holds no key. If several processes start at once, the first key counts. */
export function openSecretKey(file: string, loss: string): Buffer {
  const known = readKey(file, loss);
  if (known !== undefined) return known;
  makeOnce(file, randomBytes(KEY_BYTES).toString('base64url'));
  const made = readKey(file, loss);
  if (made === undefined) throw new LictorError('store-unusable', `${file} cannot be read back.`);
  return made;
}

function readKey(file: string, loss: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== KEY_BYTES) throw new LictorError('store-unusable', `${file} holds no key: restore it from a backup, or remove it (${loss}).`);
  chmodSync(file, 0o600);
  return key;
}
