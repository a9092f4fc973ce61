// Signing key pairs (ES256): created at the first start, encrypted, and replaced by age or by command with an overlap.
import { randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { Sealer } from './sealer.ts';
import type { StoredText } from './stored-text.ts';

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
  readonly stored: StoredText;
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

/** Reads the stored text each time: it is small and seldom needed, and another process may have changed it. */
export function openSigningKeys(parts: SigningKeyParts): SigningKeys {
  const { stored, sealer, clock } = parts;
  const isFresh = ([newest]: readonly StoredKey[]): boolean => newest !== undefined && clock() - newest.createdMs < SIGNING_KEY_LIMITS.ageMs;
  const read = async (): Promise<readonly StoredKey[]> => parseKeys(stored.where, await stored.read());
  const change = async (work: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]> =>
    parseKeys(stored.where, await stored.change(async (text) => `${JSON.stringify(await work(parseKeys(stored.where, text)))}\n`));
  const fresh = async (): Promise<readonly StoredKey[]> => {
    const keys = await read();
    // Another caller may have added a pair since.
    return isFresh(keys) ? keys : change(async (now) => (isFresh(now) ? now : addKey(parts, now)));
  };
  return {
    async current() {
      const [newest] = await fresh();
      const opened = newest === undefined ? undefined : sealer.open(newest.sealed, aboutKey(newest.kid));
      if (newest === undefined || opened === undefined)
        throw new LictorError(
          'store-unusable',
          `${stored.where} was sealed with another key: restore keys/ from one backup, or remove the file (a new key is made).`,
        );
      const parsed: JWK = JSON.parse(opened);
      const key = await importJWK(parsed, 'ES256');
      if (key instanceof Uint8Array) throw new TypeError('a signing key is no key pair');
      return { kid: newest.kid, key };
    },
    published: async () => (await fresh()).filter(stillCounts(clock())).map(({ publicKey }) => publicKey),
    async rotate() {
      const [newest] = await change((keys) => addKey(parts, keys));
      return newest?.kid ?? '';
    },
  };
}

/** The pairs with a new one in front. */
async function addKey({ sealer, clock }: SigningKeyParts, former: readonly StoredKey[]): Promise<readonly StoredKey[]> {
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
  return [added, ...former.map((key) => ({ ...key, replacedMs: key.replacedMs ?? nowMs })).filter(stillCounts(nowMs))];
}

function stillCounts(nowMs: number): (key: Pick<StoredKey, 'replacedMs'>) => boolean {
  return ({ replacedMs }) => replacedMs === null || nowMs - replacedMs < SIGNING_KEY_LIMITS.overlapMs;
}

function aboutKey(kid: string): string {
  return `signing key ${kid}`;
}

function parseKeys(where: string, text = '[]'): readonly StoredKey[] {
  const keys: unknown = JSON.parse(text);
  if (!Array.isArray(keys) || !keys.every(isStoredKey)) throw new LictorError('store-unusable', `${where} holds no signing keys: restore it, or remove it.`);
  return keys;
}

function isStoredKey(value: unknown): value is StoredKey {
  return typeof value === 'object' && value !== null && 'kid' in value && 'sealed' in value && 'publicKey' in value && 'createdMs' in value;
}
