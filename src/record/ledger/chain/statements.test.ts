// What counts as signed: by which key, over which text, in which order. Each row is a forgery; the first test is their allow twin.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GENESIS, sha256 } from './hash.ts';
import type { ProblemKind } from './report.ts';
import { type Checkpoint, type CheckpointReason, type Head, type Signed, type SigningKey, signingKey, signStatement } from './statement.ts';
import { readStatements } from './statements.ts';

const newKey = (): SigningKey => signingKey(generateKeyPairSync('ed25519').privateKey);
const OLD = newKey();
const KEY = newKey();
const STRANGER = newKey();

/** What all statements have: where the chain stands, and which statements came before. */
function after(before: readonly Signed[], key: SigningKey) {
  const last = before.at(-1);
  return {
    v: 1 as const,
    time: '2026-03-01T12:00:00.000Z',
    chains: [{ node: 'n1', from_seq: 0, from_hash: GENESIS, seq: before.length, hash: sha256(String(before.length)) }],
    previous: last === undefined ? null : sha256(last.text),
    checkpoints: before.length,
    key: key.id,
  } satisfies Omit<Head, 'kind'>;
}

function checkpoint(before: readonly Signed[], key: SigningKey, more: Partial<Checkpoint> = {}, signer = key): Signed {
  const reason: CheckpointReason = 'hour';
  return signStatement({ kind: 'checkpoint', ...after(before, key), reason, public_key: key.publicKey, next_key: null, previous_key: null, ...more }, signer);
}

function head(before: readonly Signed[], key: SigningKey, more: Partial<Head> = {}, signer = key): Signed {
  return signStatement({ kind: 'head', ...after(before, key), ...more }, signer);
}

/** Two checkpoints by the old key, the change of the key by both, and one more by the new key. */
function ledger(): readonly Signed[] {
  const first = checkpoint([], OLD);
  const second = checkpoint([first], OLD);
  const change = checkpoint([first, second], OLD, { reason: 'key', next_key: KEY.publicKey });
  const taken = checkpoint([first, second, change], KEY, { reason: 'key', previous_key: OLD.publicKey });
  return [first, second, change, taken];
}

function problems(checkpoints: readonly Signed[], end: Signed | undefined, keys: readonly string[] | null = [KEY.publicKey], onlyCurrent = true) {
  const found: ProblemKind[] = [];
  const { claims } = readStatements({ checkpoints, end, endKind: 'head', records: [] }, { publicKeys: keys, onlyCurrent, savedHeads: [] }, ({ kind }) => {
    found.push(kind);
  });
  return { found, claims: claims.length };
}

const replaced = (list: readonly Signed[], place: number, by: Signed): readonly Signed[] => list.map((one, index) => (index === place ? by : one));

describe('statements of a ledger', () => {
  it('count when they are signed by its keys, in their order, and the end by the current key', () => {
    const whole = ledger();
    expect(problems(whole, head(whole, KEY))).toEqual({ found: [], claims: 4 });
  });

  it.each<[string, (whole: readonly Signed[]) => readonly Signed[]]>([
    ['names a known key and is signed by another', (whole) => replaced(whole, 1, checkpoint(whole.slice(0, 1), OLD, {}, STRANGER))],
    ['has the signature of another statement', (whole) => replaced(whole, 1, { text: whole[1]?.text ?? '', signature: whole[0]?.signature ?? '' })],
    ['has no signature', (whole) => replaced(whole, 1, { text: whole[1]?.text ?? '', signature: '' })],
    ['is signed by a key that nothing vouches for', (whole) => replaced(whole, 1, checkpoint(whole.slice(0, 1), STRANGER))],
  ])('a checkpoint that %s counts for nothing', (_, forge) => {
    const forged = forge(ledger());
    const { found, claims } = problems(forged, head(forged, KEY));
    expect(found).toContain('signature');
    expect(claims).toBe(3);
  });

  it.each<[string, (whole: readonly Signed[]) => readonly Signed[]]>([
    ['swapped', ([first, second, ...rest]) => [second, first, ...rest].filter((one) => one !== undefined)],
    ['without the second', (whole) => whole.filter((_, index) => index !== 1)],
    ['with one twice', (whole) => whole.flatMap((one, index) => (index === 1 ? [one, one] : [one]))],
  ])('checkpoints %s are reported, although each is signed', (_, change) => {
    const changed = change(ledger());
    expect(problems(changed, head(changed, KEY)).found).toContain('removed');
  });

  it('a key that is out of use signs no new end; twin: it may where any of the keys counts', () => {
    const whole = ledger();
    expect(problems(whole, head(whole, OLD)).found).toEqual(['signature']);
    expect(problems(whole, head(whole, OLD), [KEY.publicKey], false).found).toEqual([]);
  });

  it.each<[string, (whole: readonly Signed[]) => Signed | undefined, ProblemKind]>([
    ['is signed by another key than it names', (whole) => head(whole, KEY, {}, STRANGER), 'signature'],
    ['is signed by a stranger', (whole) => head(whole, STRANGER), 'signature'],
    ['names other checkpoints', (whole) => head(whole, KEY, { previous: sha256('other') }), 'removed'],
    ['names fewer checkpoints', (whole) => head(whole, KEY, { checkpoints: 3 }), 'removed'],
    ['is a checkpoint', (whole) => checkpoint(whole, KEY), 'signature'],
    ['is not there', () => undefined, 'truncated'],
  ])('an end that %s is reported', (_, end, kind) => {
    const whole = ledger();
    expect(problems(whole, end(whole)).found).toEqual([kind]);
  });

  it('a change of the key that the old key did not sign brings no new key in', () => {
    const [first, second] = ledger();
    if (first === undefined || second === undefined) throw new Error('no checkpoints');
    const change = checkpoint([first, second], STRANGER, { reason: 'key', next_key: STRANGER.publicKey, previous_key: OLD.publicKey });
    const forged = [first, second, change];
    expect(problems(forged, head(forged, STRANGER), [OLD.publicKey], false).found).toEqual(['signature', 'signature']);
  });
});
