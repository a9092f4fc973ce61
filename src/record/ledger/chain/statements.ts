// The signed statements: who signed them, in which order, and what they say about the records.
import type { Anchors, Evidence } from './evidence.ts';
import { sha256 } from './hash.ts';
import type { AddProblem, ProblemKind } from './report.ts';
import { type ChainEnd, type Checkpoint, isSignedBy, keyId, parseStatement, type Signed, type Statement } from './statement.ts';

/** What a signed statement says about one record. */
export interface Claim extends ChainEnd {
  readonly by: string;
}

export interface Statements {
  readonly end: Statement | undefined;
  readonly checkpoints: readonly Checkpoint[];
  readonly claims: readonly Claim[];
}

type About = (kind: ProblemKind, message: string) => void;
type Read = { readonly signed: Signed; readonly statement: Statement | undefined };
type ReadCheckpoint = { readonly signed: Signed; readonly statement: Checkpoint };

/** A statement without a trusted signature counts for nothing, and is reported. */
export function readStatements({ checkpoints, end, endKind }: Evidence, { publicKeys, onlyCurrent, savedHeads }: Anchors, addProblem: AddProblem): Statements {
  const about: About = (kind, message) => addProblem({ kind, node: null, seq: null, message });
  const read = checkpoints.map((signed) => ({ signed, statement: parseStatement(signed.text) }));
  const trusted = trustedKeys(publicKeys, read.filter(isCheckpoint));
  const good = goodCheckpoints(read, trusted, about);
  const last = readEnd({ end, endKind }, onlyCurrent && publicKeys !== null ? byId(publicKeys) : trusted, about);
  const digest = read.length === 0 ? null : sha256(read.at(-1)?.signed.text ?? '');
  if (last !== undefined && (last.previous !== digest || last.checkpoints !== read.length)) {
    about('removed', `the head names ${last.checkpoints} checkpoints, there are ${read.length}, or the last one is another`);
  }
  const heads = savedHeads.flatMap((signed) => savedHead(signed, trusted, about) ?? []);
  const claims = [
    ...good.flatMap((statement) => claimsOf(statement, `checkpoint ${statement.checkpoints + 1} of ${statement.time}`)),
    ...heads.flatMap((statement) => claimsOf(statement, `the stored head of ${statement.time}`)),
  ];
  return { end: last, checkpoints: good, claims };
}

function isCheckpoint(read: Read): read is ReadCheckpoint {
  return read.statement?.kind === 'checkpoint';
}

function goodCheckpoints(read: readonly Read[], trusted: ReadonlyMap<string, string>, about: About): readonly Checkpoint[] {
  return read.flatMap((one, index) => {
    const name = `checkpoint ${index + 1}`;
    if (!(isCheckpoint(one) && isSignedByOne(one.signed, one.statement, trusted))) {
      about('signature', `${name} is not signed by a key of this ledger`);
      return [];
    }
    const { statement } = one;
    const before = index === 0 ? null : sha256(read[index - 1]?.signed.text ?? '');
    if (statement.previous !== before || statement.checkpoints !== index) {
      about('removed', `${name} does not follow the one before it: checkpoints are missing or were moved`);
    }
    if (statement.reason === 'key-lost') {
      about('key-lost', `at ${statement.time} the ledger's key was gone, and another one has signed since: only their chain proves the earlier records`);
    }
    if (statement.reason === 'head-lost') {
      about('removed', `at ${statement.time} every signed statement was gone, although the ledger's key was there: nothing proves the earlier records`);
    }
    return [statement];
  });
}

function readEnd({ end, endKind }: Pick<Evidence, 'end' | 'endKind'>, keys: ReadonlyMap<string, string>, about: About): Statement | undefined {
  if (end === undefined) {
    about('truncated', 'there is no signed head: the end of the ledger is gone, or was never signed');
    return undefined;
  }
  const statement = parseStatement(end.text);
  if (statement === undefined || statement.kind !== endKind || !isSignedByOne(end, statement, keys)) {
    about('signature', 'the head is not signed by the key of this ledger');
    return undefined;
  }
  return statement;
}

function savedHead(signed: Signed, trusted: ReadonlyMap<string, string>, about: About): Statement | undefined {
  const statement = parseStatement(signed.text);
  if (statement !== undefined && isSignedByOne(signed, statement, trusted)) return statement;
  about('signature', 'no key of this ledger signed the stored head: it belongs to another ledger, or this one was replaced');
  return undefined;
}

export function isSignedByOne(signed: Signed, { key }: Pick<Statement, 'key'>, keys: ReadonlyMap<string, string>): boolean {
  const publicKey = keys.get(key);
  return publicKey !== undefined && isSignedBy(signed, publicKey);
}

function byId(publicKeys: readonly string[]): Map<string, string> {
  return new Map(publicKeys.map((publicKey) => [keyId(publicKey), publicKey]));
}

/**
 * The given keys and those that they vouch for: the old key vouches for the next one, and the next one for the old. Without given keys, the first
 * checkpoint's own.
 */
export function trustedKeys(given: readonly string[] | null, checkpoints: readonly ReadCheckpoint[]): Map<string, string> {
  const own = checkpoints.filter(({ statement }, index) => index === 0 || statement.reason === 'key-lost').map(({ statement }) => statement.public_key);
  const trusted = byId(given ?? own);
  for (let before = -1; before !== trusted.size; ) {
    before = trusted.size;
    for (const [index, { signed, statement }] of checkpoints.entries()) {
      if (!isSignedByOne(signed, statement, trusted)) continue;
      for (const key of vouchedFor(statement, checkpoints[index - 1]?.statement)) trusted.set(keyId(key), key);
    }
  }
  return trusted;
}

/** No key can vouch for a lost key's signatures. They are accepted, and the loss is reported. */
function vouchedFor({ reason, next_key: next, previous_key: previous }: Checkpoint, before: Checkpoint | undefined): readonly string[] {
  const lost = reason === 'key-lost' ? (before?.public_key ?? null) : null;
  return [next, previous, lost].filter((key) => key !== null);
}

function claimsOf(statement: Statement, by: string): readonly Claim[] {
  return statement.chains.map((chain) => ({ ...chain, by }));
}
