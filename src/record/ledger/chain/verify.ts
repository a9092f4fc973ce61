// Verifies a ledger: every record, their order, and the signed statements. Pure.
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVENTS_STORED, parseStoredEvents } from '../events.ts';
import type { Anchors, Evidence } from './evidence.ts';
import { GENESIS, hashOf } from './hash.ts';
import { prunedParts } from './pruned.ts';
import type { AddProblem, Problem, ProblemKind, Report, RestoredAt, VerifiedChain } from './report.ts';
import type { ChainEnd, Checkpoint, Statement } from './statement.ts';
import { type Claim, readStatements } from './statements.ts';

const MOST_PROBLEMS = 20;

export function verifyLedger(evidence: Evidence, anchors: Anchors): Report {
  const problems: Problem[] = [];
  const report = (problem: Problem) => void (problems.length < MOST_PROBLEMS && problems.push(problem));
  const statements = readStatements(evidence, anchors, report);
  const claims = statements.claims;
  const pruned = prunedParts(statements, report);
  const events = { checked: 0, unchecked: 0 };
  const chains = verifyRecords(withEvents(evidence, events, report), statements.end, claims, report);
  for (const message of evidence.hidden?.() ?? []) report({ kind: 'hidden', node: null, seq: null, message });
  for (const message of evidence.events?.uncovered() ?? []) report({ kind: 'inserted', node: null, seq: null, message });
  for (const end of statements.end?.chains ?? []) {
    if (!chains.some(({ node }) => node === end.node) && end.seq > end.from_seq) {
      report({ kind: 'truncated', node: end.node, seq: end.from_seq + 1, message: `all records of ${end.node} are gone: ${end.from_seq + 1} to ${end.seq}` });
    }
  }
  return {
    problems,
    chains,
    pruned,
    checkpoints: statements.checkpoints.length,
    restored: statements.checkpoints.flatMap(restoredAt),
    events,
    keys: [...new Set(statements.checkpoints.map(({ key }) => key))],
    signedAt: statements.end?.time ?? null,
  };
}

function restoredAt({ reason, chains, time }: Checkpoint): readonly RestoredAt[] {
  return reason === 'restored' ? chains.map(({ node, seq }) => ({ node, seq, time })) : [];
}

/** Passes on the records, and verifies the events that they cover. */
function* withEvents({ records, events }: Evidence, counts: { checked: number; unchecked: number }, addProblem: AddProblem): Generator<LedgerRecord> {
  for (const record of records) {
    yield record;
    if (record.action !== EVENTS_STORED) continue;
    counts[events?.carried === true ? 'checked' : 'unchecked'] += parseStoredEvents(record)?.count ?? 0;
    const problem = events?.check(record);
    if (problem !== undefined) addProblem({ ...problem, node: record.node, seq: record.seq });
  }
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

function verifyRecords(
  records: Iterable<LedgerRecord>,
  end: Statement | undefined,
  claims: readonly Claim[],
  addProblem: AddProblem,
): readonly VerifiedChain[] {
  const done: Progress[] = [];
  let progress: Progress | undefined;
  for (const record of records) {
    if (progress?.node !== record.node) {
      if (progress !== undefined) finish(progress, addProblem);
      if (done.some(({ node }) => node === record.node))
        addProblem({ kind: 'moved', node: record.node, seq: record.seq, message: `record ${record.seq} of ${record.node} is among those of another node` });
      progress = startOf(record, end, claims, addProblem);
      done.push(progress);
    }
    step(progress, record, addProblem);
  }
  if (progress !== undefined) finish(progress, addProblem);
  return done.map(({ node, first, last, records: count }) => ({
    node,
    firstSeq: first?.seq ?? 0,
    lastSeq: last?.seq ?? 0,
    records: count,
    firstTime: first?.time ?? null,
    lastTime: last?.time ?? null,
  }));
}

function startOf({ node, seq }: LedgerRecord, statement: Statement | undefined, claims: readonly Claim[], addProblem: AddProblem): Progress {
  const end = statement?.chains.find((chain) => chain.node === node);
  if (end === undefined && statement !== undefined) addProblem({ kind: 'unsigned', node, seq, message: `no signed statement covers the records of ${node}` });
  const own = claims.filter((claim) => claim.node === node && claim.seq > (end?.from_seq ?? 0)).sort((a, b) => a.seq - b.seq);
  return {
    ...{ node, end, claims: own, claim: 0, first: undefined, last: undefined, records: 0 },
    ...{ previous: end?.from_hash ?? GENESIS, seq: end?.from_seq ?? 0 },
  };
}

function step(progress: Progress, record: LedgerRecord, addProblem: AddProblem): void {
  const { node } = progress;
  const about = (kind: ProblemKind, message: string) => addProblem({ kind, node, seq: record.seq, message });
  const at = `record ${record.seq} of ${node} (${record.time})`;
  const expected = progress.seq + 1;
  const isHashed = hashOf(record) === record.hash;
  if (!isHashed) about('edited', `${at} was edited: it does not fit its hash`);
  if (record.seq > expected) about('removed', gap(node, expected, record.seq - 1));
  else if (record.seq < expected) about('moved', `${at} stands after record ${progress.seq}: it was moved, or is a duplicate`);
  else if (isHashed && record.prev_hash !== progress.previous)
    about('inserted', `${at} is not chained to the one before it: one of them was added or replaced`);
  progress.first ??= record;
  progress.last = record;
  progress.previous = record.hash ?? '';
  progress.seq = Math.max(record.seq, progress.seq);
  progress.records += 1;
  for (let claim = progress.claims[progress.claim]; claim !== undefined && claim.seq <= record.seq; claim = progress.claims[progress.claim]) {
    if (claim.seq === record.seq && claim.hash !== record.hash)
      about('rewritten', `${at} is not the one that ${claim.by} signed: the records up to it were rewritten`);
    progress.claim += 1;
  }
}

function gap(node: string, from: number, to: number): string {
  return from === to ? `record ${from} of ${node} is gone` : `records ${from} to ${to} of ${node} are gone`;
}

function finish({ node, end, claims, claim, seq, previous }: Progress, addProblem: AddProblem): void {
  const later = claims.slice(claim);
  const furthest = Math.max(end?.seq ?? 0, ...later.map((one) => one.seq));
  if (furthest > seq) {
    const by = later.find((one) => one.seq === furthest)?.by ?? 'the signed head';
    addProblem({ kind: 'truncated', node, seq: seq + 1, message: `the end is cut off: ${gap(node, seq + 1, furthest)}, which ${by} covers` });
  }
  if (end === undefined || end.seq > seq) return;
  if (end.seq < seq)
    addProblem({
      kind: 'unsigned',
      node,
      seq: end.seq + 1,
      message: `records ${end.seq + 1} to ${seq} of ${node} were never signed: the gateway did not write them`,
    });
  else if (end.hash !== previous)
    addProblem({ kind: 'rewritten', node, seq, message: `record ${seq} of ${node} is not the one that the head signed: the records were rewritten` });
}
