// An export: records, one a line, then all signed statements about them. It can be verified without the ledger.
import { closeSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { LictorError } from '../../../contract/error.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { COLUMNS } from '../columns.ts';
import { createFileEvents, type EventLine, eventLinesOf, type FileEvents, parseEventLine } from './event-lines.ts';
import type { Evidence } from './evidence.ts';
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
  /** Only from the first record of this time on (RFC 3339 in UTC, milliseconds), and all later ones of its chain. */
  readonly since?: string | undefined;
  /** Includes the events of Prefect that the records cover. */
  readonly events?: boolean | undefined;
}

export type ExportItem = { readonly record: LedgerRecord } | { readonly event: EventLine } | { readonly line: StatementLine };

/**
 * Records in the order of the chains, then checkpoints, then the end. Needs one read transaction around it. Throws LictorError `ledger-altered` without a
 * head by this key, so that Lictor never signs a foreign head.
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

/** What `lictor audit head` prints: enough to find later that records are missing or changed. */
export interface HeadFile extends StatementLine {
  readonly public_key: string;
}

export function headFile(signed: Signed, { publicKey }: Pick<SigningKey, 'publicKey'>): HeadFile {
  return { ...lineOf('head', signed), public_key: publicKey };
}

/** The records of a chain from that time on. The part has no gap, so it is still a chain. */
function partSince(db: DatabaseSync, chain: ChainEnd, since: string | undefined): ChainEnd {
  if (since === undefined) return chain;
  const first = db.prepare('SELECT min(seq) AS seq FROM records WHERE node = ? AND time >= ?').get(chain.node, since)?.['seq'];
  const from = typeof first === 'number' ? first - 1 : chain.seq;
  if (from <= chain.from_seq) return chain;
  const hash = db.prepare('SELECT hash FROM records WHERE node = ? AND seq = ?').get(chain.node, from)?.['hash'];
  return { ...chain, from_seq: from, from_hash: String(hash) };
}

/** Throws LictorError `export-invalid` with the line number if the file is no export. `verifyLedger` finds changed content. */
export function fileEvidence(file: string): Evidence {
  const signed: StatementLine[] = [];
  for (const [index, line] of numbered(file)) {
    // The other lines are read with the records, below.
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

/** The claim of the end. Its signature is verified with the end. */
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

/** Undefined: not exactly a record, an event or a signed statement. */
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
  // The hash covers the other fields: a value of another type does not fit it.
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

const BLOCK = 1 << 20;
const NEWLINE = 0x0a;

/** One at a time, because an export may be larger than memory. UTF-8 text without the newline; the last line may lack its newline. Throws the file system's errors. */
function* fileLines(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const block = Buffer.allocUnsafe(BLOCK);
    let rest = Buffer.alloc(0);
    for (let size = readSync(descriptor, block); size > 0; size = readSync(descriptor, block)) {
      let bytes = Buffer.concat([rest, block.subarray(0, size)]);
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE)) {
        yield bytes.toString('utf8', 0, at);
        bytes = bytes.subarray(at + 1);
      }
      rest = Buffer.from(bytes);
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
