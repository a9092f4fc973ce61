// The key of a backup: recipients of age, or a passphrase. Secrets come from files, because other users see a command line.
import { readFileSync } from 'node:fs';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Lock, Opener } from '../operations/backup/seal.ts';
import { UsageError } from './errors.ts';
import { writeWhole } from './write-whole.ts';

export interface LockOptions {
  readonly recipient?: readonly string[];
  readonly recipientsFile?: string;
  readonly passphraseFile?: string;
}

export interface OpenerOptions {
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
}

/** Throws UsageError without a key: Lictor writes no backup in plain text. */
export function lockOf({ recipient = [], recipientsFile, passphraseFile }: LockOptions): Lock {
  const recipients = [...recipient, ...(recipientsFile === undefined ? [] : linesIn(recipientsFile))];
  if (passphraseFile !== undefined && recipients.length > 0) throw new UsageError('A backup has recipients or a passphrase, not both.');
  if (passphraseFile !== undefined) return { passphrase: passphraseIn(passphraseFile) };
  if (recipients.length === 0)
    throw new UsageError(
      'A backup holds keys, so it is always encrypted: give --recipient age1... or --passphrase-file FILE. lictor backup --new-identity FILE makes a key.',
    );
  if (!recipients.every(isRecipient)) throw new UsageError('That is no public key of age: lictor backup --new-identity or age-keygen prints one, age1...');
  return { recipients };
}

export async function openerOf({ identity = [], passphraseFile }: OpenerOptions): Promise<Opener> {
  if (passphraseFile !== undefined && identity.length > 0) throw new UsageError('Give --identity or --passphrase-file, not both.');
  if (passphraseFile !== undefined) return { passphrase: passphraseIn(passphraseFile) };
  if (identity.length === 0) throw new UsageError('A backup is encrypted: give --identity FILE or --passphrase-file FILE.');
  return { identities: (await Promise.all(identity.map(identitiesIn))).flat() };
}

/** Writes a new identity (0600), and answers its recipient. */
export async function writeIdentity(file: string): Promise<string> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  writeWhole(file, 0o600, [`# public key: ${recipient}`, identity]);
  return recipient;
}

async function identitiesIn(file: string): Promise<readonly string[]> {
  const lines = linesIn(file);
  if (lines.length > 0 && (await Promise.all(lines.map(isIdentity))).every(Boolean)) return lines;
  throw new UsageError(`${file} holds no identity of age: lictor backup --new-identity or age-keygen writes one.`);
}

function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

function isIdentity(text: string): Promise<boolean> {
  return identityToRecipient(text).then(
    () => true,
    () => false,
  );
}

/** As age reads its files: without empty lines and comments. */
function linesIn(file: string): readonly string[] {
  return readText(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const SHORTEST = 16;

function passphraseIn(file: string): string {
  const text = readText(file).replace(/\r?\n$/, '');
  if (text.length < SHORTEST)
    throw new UsageError(`The passphrase in ${file} has fewer than ${SHORTEST} characters: the thief of a backup can guess for years.`);
  return text;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
