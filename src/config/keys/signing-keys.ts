// Signing key pairs (ES256): created at the first start, encrypted, and replaced by age or by command with an overlap.
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Clock } from '../../contract/clock.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import type { Sealer } from './sealer.ts';

export interface SigningKeys {
  /** The pair to sign with. Another process may have created it a moment ago. */
  current(): Promise<{ readonly kid: string; readonly key: CryptoKey }>;
  /** The public keys (RFC 7517), newest first. A replaced key stays until every token that it signed has expired. */
  published(): Promise<readonly JWK[]>;
  /** Creates a pair, publishes it and uses it from now on. Answers its id. */
  rotate(): Promise<string>;
}

export const SIGNING_KEY_LIMITS = {
  /** At this age, Lictor replaces the pair. */
  ageMs: 90 * 24 * 3_600_000,
  /** How long a replaced key is published: longer than its tokens live, and than any cache of the keys. */
  overlapMs: 24 * 3_600_000,
} as const;

export interface SigningKeyParts {
  readonly file: string;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

interface StoredKey {
  readonly kid: string;
  readonly createdMs: number;
  /** When the next pair replaced it; null: it is in use. */
  readonly replacedMs: number | null;
  readonly publicKey: JWK;
  readonly sealed: string;
}

/** Reads the file each time: it is small and seldom needed, and a command may have written it. */
export function openSigningKeys(parts: SigningKeyParts): SigningKeys {
  const { file, sealer, clock } = parts;
  let last: Promise<unknown> = Promise.resolve();
  /** One after another: of two keys that are added at once, one would be lost. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const fresh = (): Promise<readonly StoredKey[]> =>
    inTurn(async () => {
      const keys = readKeys(file);
      const [newest] = keys;
      return newest !== undefined && clock() - newest.createdMs < SIGNING_KEY_LIMITS.ageMs ? keys : await addKey(parts, keys);
    });
  return {
    async current() {
      const [newest] = await fresh();
      const opened = newest === undefined ? undefined : sealer.open(newest.sealed, aboutKey(newest.kid));
      if (newest === undefined || opened === undefined)
        throw new LictorError('store-unusable', `${file} was sealed with another key: restore keys/ from one backup, or remove the file (a new key is made).`);
      const parsed: JWK = JSON.parse(opened);
      const key = await importJWK(parsed, 'ES256');
      if (key instanceof Uint8Array) throw new TypeError('a signing key is no key pair');
      return { kid: newest.kid, key };
    },
    published: async () => (await fresh()).filter(stillCounts(clock())).map(({ publicKey }) => publicKey),
    async rotate() {
      const [newest] = await inTurn(() => addKey(parts, readKeys(file)));
      return newest?.kid ?? '';
    },
  };
}

async function addKey({ file, sealer, clock }: SigningKeyParts, former: readonly StoredKey[]): Promise<readonly StoredKey[]> {
  const nowMs = clock();
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = randomBytes(9).toString('base64url');
  const added: StoredKey = {
    kid,
    createdMs: nowMs,
    replacedMs: null,
    publicKey: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
    sealed: sealer.seal(JSON.stringify(await exportJWK(privateKey)), aboutKey(kid)),
  };
  const valid = former.map((key) => ({ ...key, replacedMs: key.replacedMs ?? nowMs })).filter(stillCounts(nowMs));
  const keys = [added, ...valid];
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${kid}`;
  writeFileSync(draft, `${JSON.stringify(keys)}\n`, { mode: 0o600, flush: true });
  keepOwner(draft, file);
  renameSync(draft, file);
  return keys;
}

function stillCounts(nowMs: number): (key: Pick<StoredKey, 'replacedMs'>) => boolean {
  return ({ replacedMs }) => replacedMs === null || nowMs - replacedMs < SIGNING_KEY_LIMITS.overlapMs;
}

/** If root writes the file, it belongs to the owner of the directory, who runs the gateway. */
function keepOwner(draft: string, file: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(draft, uid, gid);
}

function aboutKey(kid: string): string {
  return `signing key ${kid}`;
}

function readKeys(file: string): readonly StoredKey[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const keys: unknown = JSON.parse(text);
  if (!Array.isArray(keys) || !keys.every(isStoredKey)) throw new LictorError('store-unusable', `${file} holds no signing keys: restore it, or remove it.`);
  return keys;
}

function isStoredKey(value: unknown): value is StoredKey {
  return typeof value === 'object' && value !== null && 'kid' in value && 'sealed' in value && 'publicKey' in value && 'createdMs' in value;
}
