// A segment is the part of a chain between two checkpoints. The later checkpoint signs the digest of the whole segment.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type ChainEnd, type Checkpoint, parseStatement, type Signed } from './statement.ts';
import { isSignedByOne, trustedKeys } from './statements.ts';

export interface Segment {
  readonly node: string;
  /** Its last record. */
  readonly seq: number;
  readonly hash: string;
}

/** The segment after `from_seq`, which the first checkpoint by a key of this ledger closes. Undefined: no checkpoint closes it yet. */
export function createSegments(db: DatabaseSync): (chain: Pick<ChainEnd, 'node' | 'from_seq'>, publicKey: string) => Segment | undefined {
  const byNumber = db.prepare('SELECT text, signature FROM checkpoints WHERE number = ?');
  const last = db.prepare('SELECT max(number) AS number FROM checkpoints');
  const keysOf = createTrust(db);

  function read(number: number): Read | undefined {
    const row = byNumber.get(number);
    return row === undefined ? undefined : checkpointOf(row);
  }

  function search(node: string, from: number, { newest, publicKey }: { readonly newest: number; readonly publicKey: string }): Segment | undefined {
    const ofNode = (one: Read | undefined) => one?.statement.chains.find((chain) => chain.node === node);
    const isBeyond = (number: number): boolean => (ofNode(read(number))?.seq ?? 0) > from;
    const keys = keysOf(publicKey);
    for (let number = firstOf(newest, isBeyond); number <= newest; number += 1) {
      const one = read(number);
      const end = ofNode(one);
      // A checkpoint without a valid signature closes nothing.
      if (one === undefined || end === undefined || end.seq <= from || !isSignedByOne(one.signed, one.statement, keys)) continue;
      return { node, seq: end.seq, hash: end.hash };
    }
    return undefined;
  }

  /** Asked every second, but searched again only once an hour. */
  const known = new Map<string, { readonly newest: number; readonly segment: Segment | undefined }>();
  return ({ node, from_seq: from }, publicKey) => {
    const newest = Number(last.get()?.['number'] ?? 0);
    const found = known.get(node);
    const holds = found !== undefined && (found.segment === undefined ? found.newest === newest : found.segment.seq > from);
    if (holds) return found.segment;
    const segment = search(node, from, { newest, publicKey });
    known.set(node, { newest, segment });
    return segment;
  };
}

/** The key and those that it vouches for, by their ids. */
export function createTrust(db: DatabaseSync): (publicKey: string) => ReadonlyMap<string, string> {
  const ofKeys = db.prepare(
    `SELECT text, signature FROM checkpoints WHERE number IN (SELECT number FROM checkpoints WHERE text LIKE '%"reason":"key%'
     UNION SELECT number - 1 FROM checkpoints WHERE text LIKE '%"reason":"key-lost"%') ORDER BY number`,
  );
  return (publicKey) =>
    trustedKeys(
      [publicKey],
      ofKeys.all().flatMap((row) => checkpointOf(row) ?? []),
    );
}

interface Read {
  readonly signed: Signed;
  readonly statement: Checkpoint;
}

function checkpointOf(row: Record<string, SQLOutputValue>): Read | undefined {
  const signed = { text: String(row['text']), signature: String(row['signature']) };
  const statement = parseStatement(signed.text);
  return statement?.kind === 'checkpoint' ? { signed, statement } : undefined;
}

/** The first number from 1 on for which it is true. It is true for all numbers after it. One more than the newest: none. */
function firstOf(newest: number, isTrue: (number: number) => boolean): number {
  let [low, high] = [1, newest + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
