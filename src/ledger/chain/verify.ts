// Whether a ledger is as it was written: every record, its order, and what was signed about it. Pure; says where it is not.
import type { LedgerRecord } from '../../contract/record.ts';
import { GENESIS, hashOf, sha256 } from './hash.ts';
import { type ChainEnd, type Checkpoint, isSignedBy, keyId, parseStatement, type Signed, type Statement } from './statement.ts';

/** What is looked at: a store, or an export. */
export interface Evidence {
  /** Of each node in the order of their numbers; the nodes one after the other. */
  readonly records: Iterable<LedgerRecord>;
  /** In their order. */
  readonly checkpoints: readonly Signed[];
  /** The newest statement about where the chains end. Undefined: there is none. */
  readonly end: Signed | undefined;
  /** Which kind it has to be: a file's end says nothing about a whole ledger. */
  readonly endKind: 'head' | 'export';
}

export interface Anchors {
  /** Public keys (SPKI, DER, base64) that are known from elsewhere; the end must be signed by one of them. Null: the evidence's own are taken. */
  readonly publicKeys: readonly string[] | null;
  /** Heads that were kept elsewhere. */
  readonly kept: readonly Signed[];
}

export const PROBLEM_KINDS = ['edited', 'removed', 'inserted', 'moved', 'truncated', 'rewritten', 'unsigned', 'signature', 'key-lost'] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** Null: it is about a statement. */
  readonly node: string | null;
  readonly seq: number | null;
  readonly message: string;
}

export interface VerifiedChain {
  readonly node: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
  readonly firstTime: string | null;
  readonly lastTime: string | null;
}

export interface Report {
  /** The first ones, in the order of the records; empty: nothing was changed, as far as this can be known. */
  readonly problems: readonly Problem[];
  readonly chains: readonly VerifiedChain[];
  readonly checkpoints: number;
  /** Ids of the keys that signed. */
  readonly keys: readonly string[];
  readonly signedAt: string | null;
  /** Records before the chain's own time: chained when the ledger was brought up to date. */
  readonly adopted: readonly ChainEnd[];
}

const MOST_PROBLEMS = 20;

export function verifyLedger(evidence: Evidence, anchors: Anchors): Report {
  const problems: Problem[] = [];
  const report = (problem: Problem) => void (problems.length < MOST_PROBLEMS && problems.push(problem));
  const statements = readStatements(evidence, anchors, report);
  const claims = statements.claims;
  const chains = verifyRecords(evidence.records, statements.end, claims, report);
  for (const end of statements.end?.chains ?? []) {
    if (!chains.some(({ node }) => node === end.node) && end.seq > end.from_seq) {
      report({ kind: 'truncated', node: end.node, seq: end.from_seq + 1, message: `all records of ${end.node} are gone: ${end.from_seq + 1} to ${end.seq}` });
    }
  }
  return {
    problems,
    chains,
    checkpoints: statements.checkpoints.length,
    keys: [...new Set(statements.checkpoints.map(({ key }) => key))],
    signedAt: statements.end?.time ?? null,
    adopted: statements.checkpoints.find(({ reason }) => reason === 'adopted')?.chains ?? [],
  };
}

type Tell = (problem: Problem) => void;

/** A signed word about one record. */
interface Claim extends ChainEnd {
  readonly by: string;
}

interface Statements {
  readonly end: Statement | undefined;
  readonly checkpoints: readonly Checkpoint[];
  readonly claims: readonly Claim[];
}

/** Signatures and order of everything that was signed; what is not signed by a known key counts for nothing. */
function readStatements({ checkpoints, end, endKind }: Evidence, { publicKeys, kept }: Anchors, tell: Tell): Statements {
  const about = (kind: ProblemKind, message: string) => tell({ kind, node: null, seq: null, message });
  const read = checkpoints.map((signed) => ({ signed, statement: parseStatement(signed.text) }));
  const trusted = trustedKeys(publicKeys, read);
  const good: Checkpoint[] = [];
  let previous: string | null = null;
  for (const [index, { signed, statement }] of read.entries()) {
    const name = `checkpoint ${index + 1}`;
    const isGood = statement?.kind === 'checkpoint' && isSignedByOne(signed, statement, trusted);
    if (!isGood) about('signature', `${name} is not signed by a key of this ledger`);
    else {
      if (statement.previous !== previous || statement.checkpoints !== index)
        about('removed', `${name} does not follow the one before it: checkpoints are missing or moved`);
      if (statement.reason === 'key-lost')
        about('key-lost', `at ${statement.time} the ledger's key was gone, and another one signs since: nothing ties the records before to it but their chain`);
      good.push(statement);
    }
    previous = sha256(signed.text);
  }
  const last = readEnd({ end, endKind }, publicKeys ?? [...trusted.values()], about);
  if (last !== undefined && (last.previous !== previous || last.checkpoints !== read.length)) {
    about('removed', `the head names ${last.checkpoints} checkpoints, there are ${read.length}, or the last one is another`);
  }
  const heads = kept.flatMap((signed) => keptHead(signed, trusted, about) ?? []);
  const claims = [
    ...good.flatMap((statement, index) => claimsOf(statement, `checkpoint ${index + 1} of ${statement.time}`)),
    ...heads.flatMap((statement) => claimsOf(statement, `the head kept since ${statement.time}`)),
  ];
  return { end: last, checkpoints: good, claims };
}

function readEnd(
  { end, endKind }: Pick<Evidence, 'end' | 'endKind'>,
  keys: readonly string[],
  about: (kind: ProblemKind, message: string) => void,
): Statement | undefined {
  if (end === undefined) {
    about('truncated', 'there is no signed head: the end of the ledger is gone, or was never signed');
    return undefined;
  }
  const statement = parseStatement(end.text);
  if (statement === undefined || statement.kind !== endKind || !isSignedByOne(end, statement, byId(keys))) {
    about('signature', 'the head is not signed by the key of this ledger');
    return undefined;
  }
  return statement;
}

function keptHead(signed: Signed, trusted: ReadonlyMap<string, string>, about: (kind: ProblemKind, message: string) => void): Statement | undefined {
  const statement = parseStatement(signed.text);
  if (statement !== undefined && isSignedByOne(signed, statement, trusted)) return statement;
  about('signature', 'the head that was kept is not signed by a key of this ledger: it is of another one, or this one was replaced');
  return undefined;
}

function isSignedByOne(signed: Signed, { key }: Statement, keys: ReadonlyMap<string, string>): boolean {
  const publicKey = keys.get(key);
  return publicKey !== undefined && isSignedBy(signed, publicKey);
}

function byId(publicKeys: readonly string[]): Map<string, string> {
  return new Map(publicKeys.map((publicKey) => [keyId(publicKey), publicKey]));
}

/** The keys given, and those that they vouch for: the next one by the old, the old one by the next. Without given ones, the first checkpoint's own. */
function trustedKeys(
  given: readonly string[] | null,
  read: readonly { readonly signed: Signed; readonly statement: Statement | undefined }[],
): Map<string, string> {
  const checkpoints = read.flatMap(({ signed, statement }) => (statement?.kind === 'checkpoint' ? [{ signed, statement }] : []));
  const own = checkpoints.filter(({ statement }, index) => index === 0 || statement.reason === 'key-lost').map(({ statement }) => statement.public_key);
  const trusted = byId(given ?? own);
  for (let before = -1; before !== trusted.size; ) {
    before = trusted.size;
    for (const { signed, statement } of checkpoints) {
      if (!isSignedByOne(signed, statement, trusted)) continue;
      for (const key of [statement.next_key, statement.previous_key]) if (key !== null) trusted.set(keyId(key), key);
    }
    // A lost key leaves nobody to vouch for what it signed; that it was lost is reported.
    for (const { statement } of checkpoints.filter(({ statement }) => statement.reason === 'key-lost' && trusted.has(statement.key))) {
      const index = checkpoints.findIndex((checkpoint) => checkpoint.statement === statement);
      const earlier = checkpoints[index - 1]?.statement.public_key;
      if (earlier !== undefined) trusted.set(keyId(earlier), earlier);
    }
  }
  return trusted;
}

function claimsOf(statement: Statement, by: string): readonly Claim[] {
  return statement.chains.map((chain) => ({ ...chain, by }));
}

interface Progress {
  readonly node: string;
  readonly end: ChainEnd | undefined;
  /** Sorted by number. */
  readonly claims: readonly Claim[];
  claim: number;
  first: LedgerRecord | undefined;
  last: LedgerRecord | undefined;
  previous: string;
  seq: number;
  records: number;
}

function verifyRecords(records: Iterable<LedgerRecord>, end: Statement | undefined, claims: readonly Claim[], tell: Tell): readonly VerifiedChain[] {
  const done: Progress[] = [];
  let progress: Progress | undefined;
  for (const record of records) {
    if (progress?.node !== record.node) {
      if (progress !== undefined) finish(progress, tell);
      if (done.some(({ node }) => node === record.node))
        tell({ kind: 'moved', node: record.node, seq: record.seq, message: `record ${record.seq} of ${record.node} stands among those of another node` });
      progress = startOf(record, end, claims, tell);
      done.push(progress);
    }
    step(progress, record, tell);
  }
  if (progress !== undefined) finish(progress, tell);
  return done.map(({ node, first, last, records: count }) => ({
    node,
    firstSeq: first?.seq ?? 0,
    lastSeq: last?.seq ?? 0,
    records: count,
    firstTime: first?.time ?? null,
    lastTime: last?.time ?? null,
  }));
}

function startOf({ node, seq }: LedgerRecord, statement: Statement | undefined, claims: readonly Claim[], tell: Tell): Progress {
  const end = statement?.chains.find((chain) => chain.node === node);
  if (end === undefined && statement !== undefined) tell({ kind: 'unsigned', node, seq, message: `nothing that was signed knows of the records of ${node}` });
  const own = claims.filter((claim) => claim.node === node && claim.seq > (end?.from_seq ?? 0)).sort((a, b) => a.seq - b.seq);
  return {
    ...{ node, end, claims: own, claim: 0, first: undefined, last: undefined, records: 0 },
    ...{ previous: end?.from_hash ?? GENESIS, seq: end?.from_seq ?? 0 },
  };
}

function step(progress: Progress, record: LedgerRecord, tell: Tell): void {
  const { node } = progress;
  const about = (kind: ProblemKind, message: string) => tell({ kind, node, seq: record.seq, message });
  const at = `record ${record.seq} of ${node} (${record.time})`;
  const expected = progress.seq + 1;
  const isHashed = hashOf(record) === record.hash;
  if (!isHashed) about('edited', `${at} was edited: it does not fit its hash`);
  if (record.seq > expected) about('removed', gap(node, expected, record.seq - 1));
  else if (record.seq < expected) about('moved', `${at} stands after record ${progress.seq}: it was moved, or is there twice`);
  else if (isHashed && record.prev_hash !== progress.previous)
    about('inserted', `${at} is not chained to the one before it: one of them was put in or replaced`);
  progress.first ??= record;
  progress.last = record;
  progress.previous = record.hash ?? '';
  progress.seq = Math.max(record.seq, progress.seq);
  progress.records += 1;
  for (let claim = progress.claims[progress.claim]; claim !== undefined && claim.seq <= record.seq; claim = progress.claims[progress.claim]) {
    if (claim.seq === record.seq && claim.hash !== record.hash)
      about('rewritten', `${at} is not the one that ${claim.by} signed: the records up to it were written anew`);
    progress.claim += 1;
  }
}

function gap(node: string, from: number, to: number): string {
  return from === to ? `record ${from} of ${node} is gone` : `records ${from} to ${to} of ${node} are gone`;
}

function finish({ node, end, claims, claim, seq, previous }: Progress, tell: Tell): void {
  const later = claims.slice(claim);
  const furthest = Math.max(end?.seq ?? 0, ...later.map((one) => one.seq));
  if (furthest > seq) {
    const by = later.find((one) => one.seq === furthest)?.by ?? 'the signed head';
    tell({ kind: 'truncated', node, seq: seq + 1, message: `the end is cut off: ${gap(node, seq + 1, furthest)}, which ${by} knows of` });
  }
  if (end === undefined || end.seq > seq) return;
  if (end.seq < seq)
    tell({
      kind: 'unsigned',
      node,
      seq: end.seq + 1,
      message: `records ${end.seq + 1} to ${seq} of ${node} were never signed: the gateway did not write them`,
    });
  else if (end.hash !== previous)
    tell({ kind: 'rewritten', node, seq, message: `record ${seq} of ${node} is not the one that the head signed: the records were written anew` });
}
