// The encryption of a backup: gzip, then age (age-encryption.org/v1). The programs gunzip and age read it too.
import { createReadStream, createWriteStream } from 'node:fs';
import { PassThrough, pipeline as start } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { createGunzip, createGzip } from 'node:zlib';
import { Decrypter, Encrypter, type Identity, type Recipient } from 'age-encryption';
import { LictorError } from '../../contract/error.ts';
import { damaged, foreign, wrongKey } from './errors.ts';

/** Who may read a backup. */
export type Lock = { readonly recipients: readonly string[] } | { readonly passphrase: string; readonly workFactor?: number };
/** What opens a backup. */
export type Opener = { readonly identities: readonly (string | Identity)[] } | { readonly passphrase: string };

const MAGIC = 'age-encryption.org/v1\n';
/** A record or a policy set is far smaller. The bound limits the memory for a file that is no backup. */
const LONGEST_LINE = 256 * 1024 * 1024;

/** Writes the texts into a new file (0600). Answers what opens it once more, without a secret of its readers. */
export async function writeSealed(file: string, texts: Iterable<string> | AsyncIterable<string>, lock: Lock): Promise<Opener> {
  const { encrypter, opener } = encrypterFor(lock);
  await pipeline(
    texts,
    createGzip({ level: 1 }),
    async function* seal(plain: AsyncIterable<Uint8Array>) {
      yield* await encrypter.encrypt(streamOf(plain));
    },
    createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }),
  );
  return opener();
}

/** The lines, each with its line break. Throws `backup-foreign`, `backup-key` and `backup-damaged`. */
export async function* readSealed(file: string, opener: Opener): AsyncGenerator<string> {
  const plain = new PassThrough();
  const unseal = async function* (sealed: AsyncIterable<Uint8Array>) {
    yield* await decrypt(sealed, opener);
  };
  // The error of any part is the error of the last one.
  start(createReadStream(file), unseal, createGunzip(), plain, () => undefined);
  try {
    yield* linesOf(plain);
  } catch (cause) {
    throw asDamage(cause);
  } finally {
    plain.destroy();
  }
}

function encrypterFor(lock: Lock): { readonly encrypter: Encrypter; readonly opener: () => Opener } {
  const encrypter = new Encrypter();
  if ('passphrase' in lock) {
    encrypter.setPassphrase(lock.passphrase);
    if (lock.workFactor !== undefined) encrypter.setScryptWorkFactor(lock.workFactor);
    return { encrypter, opener: () => lock };
  }
  const { witness, identity } = createWitness();
  for (const recipient of [...lock.recipients, witness]) encrypter.addRecipient(recipient);
  return { encrypter, opener: () => ({ identities: [identity] }) };
}

/** Learns the key of the file, and leaves nothing in it: Lictor reads back what it wrote, and needs no secret of a recipient. */
function createWitness(): { readonly witness: Recipient; readonly identity: Identity } {
  let known: Uint8Array | null = null;
  const wrapFileKey = (fileKey: Uint8Array) => {
    known = fileKey.slice();
    return [];
  };
  return { witness: { wrapFileKey }, identity: { unwrapFileKey: () => known } };
}

async function decrypt(sealed: AsyncIterable<Uint8Array>, opener: Opener): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter();
  if ('passphrase' in opener) decrypter.addPassphrase(opener.passphrase);
  else for (const identity of opener.identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(streamOf(checked(sealed)));
  } catch (cause) {
    if (cause instanceof LictorError) throw cause;
    throw cause instanceof Error && cause.message.startsWith('no identity matched') ? wrongKey() : damaged('its head cannot be read', cause);
  }
}

/** Throws `backup-foreign` for anything else than an age file. */
async function* checked(sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of sealed) {
    if (isFirst && !Buffer.from(chunk).subarray(0, MAGIC.length).equals(Buffer.from(MAGIC))) throw foreign();
    isFirst = false;
    yield chunk;
  }
  if (isFirst) throw foreign();
}

async function* linesOf(plain: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of plain) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, at + 1)]).toString('utf8');
      parts = [];
      length = 0;
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw damaged('a line is too long');
  }
  if (length > 0) throw damaged('its end is missing');
}

function asDamage(cause: unknown): unknown {
  const isOwn = cause instanceof LictorError || (cause instanceof Error && 'syscall' in cause);
  return isOwn ? cause : damaged('it was changed, or its end is missing', cause);
}

function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(bytes);
}
