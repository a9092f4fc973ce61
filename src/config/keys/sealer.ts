// Small secrets at rest (refresh tokens, a login's verifier): sealed with a key of the state directory, so that a copied database gives none away.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { openSecretKey } from './secret-key.ts';

export interface Sealer {
  /** `about` says what the secret belongs to; it must be the same to open it, so that no sealed text can be moved elsewhere. */
  seal(secret: string, about: string): string;
  /** Undefined: made with another key, for something else, or altered. */
  open(sealed: string, about: string): string | undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Reads the key, or makes it at the first start (0600). Throws `store-unusable` when it is there and no key. */
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
