// The signed statements: the ends of the chains, and the previous statement.
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { LictorError } from '../../../contract/error.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** The available part of one node's chain: the records after `from_seq`, up to `seq`. `from_hash` is the predecessor of the first one. */
const chainEnd = z.strictObject({ node: z.string(), from_seq: z.int().min(0), from_hash: digest, seq: z.int().min(0), hash: digest });
export type ChainEnd = z.infer<typeof chainEnd>;

const REASONS = ['start', 'hour', 'rotation', 'retention', 'key', 'key-lost', 'head-lost', 'restored', 'stop'] as const;
export type CheckpointReason = (typeof REASONS)[number];

const fields = {
  v: z.literal(1),
  /** RFC 3339 in UTC, milliseconds. */
  time: z.iso.datetime(),
  chains: z.array(chainEnd),
  /** SHA-256 of the last checkpoint's text, and the number of checkpoints. Before the first one: null and 0. */
  previous: digest.nullable(),
  checkpoints: z.int().min(0),
  /** The signing key: SHA-256 of its public part (SPKI, DER). */
  key: digest,
};

const checkpoint = z.strictObject({
  kind: z.literal('checkpoint'),
  ...fields,
  reason: z.enum(REASONS),
  /** SPKI, DER, base64. */
  public_key: z.string(),
  /** For reason `key`. The old key signs `next_key`, the key that signs from here on. The new key signs `previous_key`, the key that signed before. */
  next_key: z.string().nullable(),
  previous_key: z.string().nullable(),
});
/** Stored forever: every hour, at rotation, and when something about the chain changes. */
export type Checkpoint = z.infer<typeof checkpoint>;

const head = z.strictObject({ kind: z.literal('head'), ...fields });
/** The current ends of the chains. Each batch of records replaces it. */
export type Head = z.infer<typeof head>;

/** `events`: the file has the events of Prefect too. */
const exported = z.strictObject({ kind: z.literal('export'), ...fields, events: z.literal(true).optional() });
/** The end of an export, never of a ledger, so that a part cannot pass for the whole. */
export type ExportEnd = z.infer<typeof exported>;

export type Statement = Checkpoint | Head | ExportEnd;

/** `text` is the canonical JSON of a statement, exactly as signed. */
export interface Signed {
  readonly text: string;
  /** Ed25519 over the text, base64. */
  readonly signature: string;
}

export interface SigningKey {
  readonly id: string;
  /** SPKI, DER, base64. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function signingKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
  return { id: keyId(publicKey), publicKey, privateKey };
}

export function keyId(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}

export function signStatement(statement: Statement, key: SigningKey): Signed {
  const text = canonicalize(statement);
  if (text === undefined) throw new LictorError('ledger-statement-invalid', 'A statement of the ledger could not be written.');
  return { text, signature: sign(null, Buffer.from(text), key.privateKey).toString('base64') };
}

/** True only for a signature by this key over this text. Never throws: an invalid key verifies nothing. */
export function isSignedBy({ text, signature }: Signed, publicKey: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Undefined: not a statement of this version. Not checked here: the signature. */
export function parseStatement(text: string): Statement | undefined {
  try {
    const parsed = z.union([checkpoint, head, exported]).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
