// Encrypts small secrets of the store (refresh tokens, the verifier of a login) with a key outside it: a copy of the database reveals none.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { openSecretKey } from './secret-key.ts';

export interface Sealer {
  /** `about` names the owner of the secret. `open` needs the same text, so that a sealed secret is useless in another row. */
  seal(secret: string, about: string): string;
  /** Undefined: sealed with another key or another `about`, or altered. */
  open(sealed: string, about: string): string | undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Reads the key, or creates it at the first start (0600). Throws `store-unusable` if the file holds no key. */
export function openSealer(keyFile: string): Sealer {
  const key = openSecretKey(keyFile, 'everybody logs in again');
  return {
    seal(secret, about) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(about));
      return Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
