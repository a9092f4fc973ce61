// An export: records, one a line, then everything that was signed about them. It can be examined without the ledger.
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { LictorError } from '../../../contract/error.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { COLUMNS } from '../columns.ts';
import { createFileEvents, type EventLine, eventLinesOf, type FileEvents, parseEventLine } from './event-lines.ts';
import type { Evidence } from './evidence.ts';
import { fileLines } from './file-lines.ts';
import { type ChainEnd, type ExportEnd, isSignedBy, parseStatement, type Signed, type SigningKey, signStatement } from './statement.ts';
import { storeEvidence } from './store-evidence.ts';

/** A line that is no record. */
const statementLine = z.strictObject({ signed: z.enum(['checkpoint', 'export', 'head']), statement: z.string(), signature: z.string() });
export type StatementLine = z.infer<typeof statementLine>;

export interface ExportOptions {
  readonly db: DatabaseSync;
  readonly key: SigningKey;
  /** Epoch milliseconds, for the signature. */
  readonly nowMs: number;
  /** Only from the first record of this time on (RFC 3339 in UTC, milliseconds), and what follows it in its chain. */
  readonly since?: string | undefined;
  /** With the events of Prefect of which the records speak. */
  readonly events?: boolean | undefined;
}

export type ExportItem = { readonly record: LedgerRecord } | { readonly event: EventLine } | { readonly line: StatementLine };

/**
 * In the order of the chains: records, checkpoints, the end. One read transaction must be open around it.
 * Throws LictorError `ledger-altered` when there is no head by this key to go by: what somebody
 * put in its place is not signed for him.
 */
export function* exportItems({ db, key, nowMs, since, events = false }: ExportOptions): Generator<ExportItem> {
  const head = storeEvidence(db).end;
  const statement = head === undefined ? undefined : parseStatement(head.text);
  if (head === undefined || statement?.kind !== 'head' || !isSignedBy(head, key.publicKey))
    throw new LictorError('ledger-altered', 'The ledger has no head that is signed by its key: lictor audit verify says more.');
  const chains = statement.chains.map((chain) => partSince(db, chain, since));
  const { records, checkpoints } = storeEvidence(db, new Map(chains.map(({ node, from_seq: from }) => [node, from + 1])));
  const linesOf = events ? eventLinesOf(db) : () => [];
  for (const record of records) {
    for (const event of linesOf(record)) yield { event };
    yield { record };
  }
  for (const signed of checkpoints) yield { line: lineOf('checkpoint', signed) };
  const end: ExportEnd = { ...statement, kind: 'export', time: new Date(nowMs).toISOString(), chains, key: key.id, ...(events && { events }) };
  yield { line: lineOf('export', signStatement(end, key)) };
}

export function lineOf(kind: StatementLine['signed'], { text, signature }: Signed): StatementLine {
  return { signed: kind, statement: text, signature };
}

/** The records of a chain from the first of that time on: a part without a hole, so that it stays a chain. */
function partSince(db: DatabaseSync, chain: ChainEnd, since: string | undefined): ChainEnd {
  if (since === undefined) return chain;
  const first = db.prepare('SELECT min(seq) AS seq FROM records WHERE node = ? AND time >= ?').get(chain.node, since)?.['seq'];
  const from = typeof first === 'number' ? first - 1 : chain.seq;
  if (from <= chain.from_seq) return chain;
  const hash = db.prepare('SELECT hash FROM records WHERE node = ? AND seq = ?').get(chain.node, from)?.['hash'];
  return { ...chain, from_seq: from, from_hash: String(hash) };
}

/** Throws LictorError `export-invalid` that names the line, for a file that is none. What somebody changed in it is for `verifyLedger` to find. */
export function fileEvidence(file: string): Evidence {
  const signed: StatementLine[] = [];
  for (const [index, line] of numbered(file)) {
    // The others are read with the records, below.
    if (!line.includes('"signed"')) continue;
    const parsed = parseLine(line);
    if (parsed === undefined) throw invalid(file, index);
    if ('line' in parsed) signed.push(parsed.line);
  }
  const of = (kind: StatementLine['signed']) => signed.filter((one) => one.signed === kind).map(({ statement, signature }) => ({ text: statement, signature }));
  const end = of('export').at(-1);
  const events = createFileEvents(end !== undefined && carriesEvents(end));
  return { records: records(file, events), checkpoints: of('checkpoint'), end, endKind: 'export', events: events.evidence };
}

/** What the end says; whether it is signed is examined with it. */
function carriesEvents({ text }: Signed): boolean {
  const statement = parseStatement(text);
  return statement?.kind === 'export' && statement.events === true;
}

function* records(file: string, events: FileEvents): Generator<LedgerRecord> {
  for (const [index, line] of numbered(file)) {
    const parsed = parseLine(line);
    if (parsed === undefined) throw invalid(file, index);
    if ('event' in parsed) events.event(parsed.event);
    if (!('record' in parsed)) continue;
    events.record(parsed.record);
    yield parsed.record;
  }
}

function* numbered(file: string): Generator<readonly [number, string]> {
  let index = 0;
  for (const line of fileLines(file)) {
    index += 1;
    if (line.trim() !== '') yield [index, line];
  }
}

const NAMES: ReadonlySet<string> = new Set(Object.keys(COLUMNS));

/** Undefined: neither a record or an event with exactly the fields of one, nor a signed statement. */
export function parseLine(line: string): ExportItem | undefined {
  const value = parseJson(line);
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, 'signed')) {
    const statement = statementLine.safeParse(value);
    return statement.success ? { line: statement.data } : undefined;
  }
  if (Object.hasOwn(value, 'prefect_event')) {
    const event = parseEventLine(value);
    return event === undefined ? undefined : { event };
  }
  const names = Object.keys(value);
  if (names.length !== NAMES.size || !names.every((name) => NAMES.has(name))) return undefined;
  const { node, seq, time } = value;
  const isPlaced = typeof node === 'string' && typeof seq === 'number' && Number.isSafeInteger(seq) && typeof time === 'string';
  // Its other fields are covered by its hash: a value of another type is another record.
  return isPlaced ? { record: value as unknown as LedgerRecord } : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(file: string, line: number): LictorError {
  return new LictorError(
    'export-invalid',
    `${file}, line ${line}: neither a record, an event nor a signed statement. It is no export of lictor, or it was changed.`,
  );
}
