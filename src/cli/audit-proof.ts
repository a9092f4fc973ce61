// `lictor audit verify`, `export` and `head`: prove that the ledger or an export is unchanged.
import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Command, Option } from 'commander';
import { type StatePaths, statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import type { Anchors } from '../record/ledger/chain/evidence.ts';
import { type ExportItem, exportItems, fileEvidence, headFile, parseLine } from '../record/ledger/chain/export-file.ts';
import { readKey } from '../record/ledger/chain/key-file.ts';
import { openSignedChain } from '../record/ledger/chain/open-chain.ts';
import type { PrunedPart } from '../record/ledger/chain/pruned.ts';
import type { Report } from '../record/ledger/chain/report.ts';
import type { Signed, SigningKey } from '../record/ledger/chain/statement.ts';
import { storeEvidence } from '../record/ledger/chain/store-evidence.ts';
import { verifyLedger } from '../record/ledger/chain/verify.ts';
import { ocsfEvent } from '../record/ledger/ocsf.ts';
import { parseWhen } from './audit-filters.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { jsonText, painter, printable, quantity, writeLine } from './text.ts';
import { writeWhole } from './write-whole.ts';

const VERIFY_HELP = `
Each record has the hash of the one before, and each batch of records ends with a signed head. So this finds an edit, a removal, an addition
or another order, and its place. It cannot find that the last records were removed together with every head about them: store a head on
another machine from time to time, and compare it with --head.

Example:
  lictor audit verify
  lictor audit head -o /mnt/elsewhere/head.json
  lictor audit verify --head /mnt/elsewhere/head.json
  lictor audit verify export.ndjson --key /mnt/elsewhere/head.json
`;

const EXPORT_HELP = `
NDJSON ends with the checkpoints and a signed end, so that lictor audit verify FILE can examine it anywhere. With --events the events of Prefect stand
before the record that names their digest, and are examined too. OCSF 1.6 is for collectors; it carries no proof.

Example:
  lictor audit export --events -o ledger.ndjson
  lictor audit export --since 90d --format ocsf | gzip > events.json.gz
`;

export function registerProof(audit: Command, context: CliContext): void {
  audit
    .command('verify')
    .description('verify that no record was edited, removed, added or moved; exits 1 when one was, and says where')
    .argument('[file]', 'an export, instead of the store')
    .option('--head <file>', 'a head stored elsewhere (lictor audit head); repeat for several', collect)
    .option('--key <file>', 'a head or a public key (PEM) from the gateway, when the export is examined elsewhere')
    .option('--json', 'the whole report')
    .addHelpText('after', VERIFY_HELP)
    .action((file: string | undefined, _options, command: Command) => verify(context, file, ownOptions<VerifyOptions>(command)));
  audit
    .command('export')
    .description('export the records with their proof, or as OCSF events')
    .option('-o, --output <file>', 'instead of standard output; mode 600')
    .option('--since <when>', 'from this time on: 24h, 90d, 2026-03-01', parseWhen)
    .option('--events', 'with the events of Prefect of which records speak, a line for each')
    .addOption(new Option('--format <format>', 'how').choices(['ndjson', 'ocsf']).default('ndjson'))
    .addHelpText('after', EXPORT_HELP)
    .action((_options, command: Command) => exportLedger(context, ownOptions<ExportOptions>(command)));
  audit
    .command('head')
    .description('print the signed head of the ledger: store it on another machine')
    .option('-o, --output <file>', 'instead of standard output')
    .addHelpText('after', '\nExample:\n  lictor audit head -o /mnt/elsewhere/head-$(date +%F).json\n')
    .action((_options, command: Command) => head(context, ownOptions<{ readonly output?: string }>(command)));
  audit.commands.forEach(withoutFilters);
}

/** One value for each option: an option with several values would also consume the export after it. */
function collect(file: string, before: readonly string[] = []): readonly string[] {
  return [...before, file];
}

/**
 * Commander gives the subcommands of `audit` its options too, such as `--json` and `--since`. A subcommand rejects all but its own:
 * a filter would leave holes in a chain, and an ignored filter would make the whole look like a part.
 */
function ownOptions<T>(command: Command): T {
  const wrong = filtersOnly(command).find((option) => command.parent?.getOptionValue(option.attributeName()) !== undefined);
  if (wrong !== undefined) throw new UsageError(`audit ${command.name()} takes no ${wrong.long}: lictor audit ${command.name()} --help lists what it takes.`);
  return command.optsWithGlobals<T & Record<string, unknown>>();
}

/** Options of `audit` that this subcommand does not have. */
function filtersOnly(command: Command): readonly Option[] {
  const own = command.options.map((option) => option.attributeName());
  return (command.parent?.options ?? []).filter((option) => !own.includes(option.attributeName()));
}

/** The help of a subcommand lists its own options and those of the program, but not the filters of `audit`. */
function withoutFilters(command: Command): void {
  command.configureHelp({ ...command.configureHelp(), visibleGlobalOptions: () => [...(command.parent?.parent?.options ?? [])] });
}

interface VerifyOptions {
  readonly head?: readonly string[];
  readonly key?: string;
  readonly json?: boolean;
}

function verify(context: CliContext, file: string | undefined, { head: heads = [], key: keyFile, json }: VerifyOptions): void {
  const paths = statePaths(context.stateDir(), '');
  const savedHeads = heads.map(readHeadFile);
  const given = keyFile === undefined ? undefined : publicKeyIn(keyFile);
  const source = file === undefined ? openSignedChain(paths) : { file, key: readKey(paths.ledgerKey) };
  using _db = 'db' in source ? source.db : undefined;
  const own = source.key;
  const key = given ?? own?.publicKey ?? savedHeads[0]?.publicKey;
  const anchors: Anchors = {
    publicKeys: key === undefined ? null : [key],
    onlyCurrent: file === undefined && given === undefined,
    savedHeads: savedHeads.map((one) => one.signed),
  };
  const report = 'db' in source ? verifyStore(context, source.db, paths, anchors) : verifyFile(source.file, anchors);
  if (json === true) context.out.write(`${jsonText({ ...report, ok: report.problems.length === 0, key_from: keySource({ given, own, key }) })}\n`);
  else show(context, report, { file, source: keySource({ given, own, key }), hasHead: savedHeads.length > 0 });
  if (report.problems.length > 0) throw new CommandFailed('');
}

function verifyFile(file: string, anchors: Anchors): Report {
  return verifyLedger(
    readable(file, () => fileEvidence(file)),
    anchors,
  );
}

function verifyStore(context: CliContext, db: DatabaseSync, paths: StatePaths, anchors: Anchors): Report {
  if (anchors.publicKeys === null)
    throw new CommandFailed(
      `${paths.ledgerKey} is not there: the ledger's own key is what its head is examined with. Restore it, or pass a stored head: --key FILE.`,
    );
  const shows = 'isTTY' in context.err && context.err.isTTY === true;
  const onRecord = (count: number) => void (shows && context.err.write(`\r${count.toLocaleString('en')} records`));
  const report = verifyLedger(storeEvidence(db, new Map(), onRecord), anchors);
  if (shows) context.err.write('\r\u001b[K');
  return report;
}

type KeySource = 'given' | 'gateway' | 'head' | 'file';

function keySource({
  given,
  own,
  key,
}: {
  readonly given: string | undefined;
  readonly own: SigningKey | undefined;
  readonly key: string | undefined;
}): KeySource {
  if (given !== undefined) return 'given';
  if (own !== undefined) return 'gateway';
  return key === undefined ? 'file' : 'head';
}

interface Shown {
  readonly file: string | undefined;
  readonly source: KeySource;
  readonly hasHead: boolean;
}

function show({ out, env }: CliContext, report: Report, { file, source, hasHead }: Shown): void {
  const paint = painter(out, env);
  for (const { node, records, firstSeq, lastSeq, firstTime, lastTime } of report.chains) {
    out.write(`${printable(node)}: ${quantity(records, 'record')}, ${firstSeq} to ${lastSeq}, ${firstTime ?? ''} to ${lastTime ?? ''}\n`);
  }
  if (report.events.checked > 0) out.write(`${report.events.checked.toLocaleString('en')} events of Prefect were held against their digests\n`);
  out.write(`signed: ${quantity(report.checkpoints, 'checkpoint')}, last at ${report.signedAt ?? 'no time that is known'}\n`);
  for (const { message } of report.problems) out.write(`${paint('red', 'FAIL')}  ${printable(message)}\n`);
  if (report.problems.length === 0) out.write(`${paint('green', 'ok')}  no record was edited, removed, added or moved\n`);
  else out.write('The first place is where to look; what comes behind it may follow from it. Keep the file as it is: it is evidence.\n');
  for (const line of limits(report, { file, source, hasHead })) out.write(`note  ${line}\n`);
}

/** The limits of this verification. */
function limits({ keys, pruned, events, restored }: Report, { file, source, hasHead }: Shown): readonly string[] {
  return [
    ...(source === 'file'
      ? [`the key is the file's own, ${keys[0]?.slice(0, 16) ?? 'none'}: compare it with lictor audit head of the gateway, or give --key`]
      : []),
    ...(hasHead ? [] : ['whole batches cut off the end, with every head of theirs, are found only with a head from another machine (--head)']),
    ...(events.unchecked > 0
      ? [
          `${events.unchecked.toLocaleString('en')} events of Prefect, of which the records speak, are not in this file and were not examined (audit export --events)`,
        ]
      : []),
    ...(file === undefined ? ['requests that are under way, and lines of the access log that are not read yet, are no records yet'] : []),
    ...restored.map(
      ({ node, seq, time }) =>
        `${printable(node)} was restored from a backup at ${time}: the records that came after record ${seq} before are lost, and a head of that time does not fit`,
    ),
    ...pruned.map((part) => beforeFirst(part, file === undefined ? 'were let go by its retention' : 'are not in this file')),
  ];
}

function beforeFirst({ node, upTo, segments, closedAt }: PrunedPart, why: string): string {
  const known = segments === 0 ? 'no checkpoint is about them' : `checkpoints hold the digests of ${quantity(segments, 'segment')} of them`;
  const last = closedAt === null ? 'the last segment is here in part' : `the last was closed at ${closedAt}`;
  return `${printable(node)} begins with record ${upTo + 1}: the ones before ${why}; ${known}${segments === 0 ? '' : `, ${last}`}`;
}

interface ExportOptions {
  readonly output?: string;
  readonly since?: string;
  readonly events?: boolean;
  readonly format: 'ndjson' | 'ocsf';
}

async function exportLedger(context: CliContext, { output, since, events, format }: ExportOptions): Promise<void> {
  if (events === true && format !== 'ndjson') throw new UsageError('--events goes with --format ndjson: OCSF carries no proof, and has no place for them.');
  const paths = statePaths(context.stateDir(), '');
  const { db: opened, key } = openSignedChain(paths);
  using db = opened;
  if (key === undefined) throw new CommandFailed(`${paths.ledgerKey} is not there: an export is signed with it. Restore it from a backup.`);
  const lines = exportLines(exportItems({ db, key, nowMs: systemClock(), since, events }), format);
  if (output === undefined) for (const line of lines) await writeLine(context.out, line);
  else writeWhole(output, 0o600, lines);
}

function* exportLines(items: Iterable<ExportItem>, format: ExportOptions['format']): Generator<string> {
  for (const item of items) {
    if (format === 'ndjson') yield jsonText(lineOfItem(item));
    else if ('record' in item) yield jsonText(ocsfEvent(item.record));
  }
}

function lineOfItem(item: ExportItem): unknown {
  if ('record' in item) return item.record;
  return 'event' in item ? item.event : item.line;
}

function head(context: CliContext, { output }: { readonly output?: string }): void {
  const paths = statePaths(context.stateDir(), '');
  const { db: opened, key } = openSignedChain(paths);
  using db = opened;
  const signed = storeEvidence(db).end;
  if (signed === undefined || key === undefined) throw new CommandFailed('There is no signed head yet, or its key is gone: lictor audit verify says more.');
  const text = jsonText(headFile(signed, key));
  if (output === undefined) context.out.write(`${text}\n`);
  else writeWhole(output, 0o644, [text]);
}

/** In the format of `lictor audit head`. */
function readHeadFile(file: string): { readonly signed: Signed; readonly publicKey: string | undefined } {
  const text = readable(file, () => readFileSync(file, 'utf8'));
  const { public_key: publicKey, ...line } = objectIn(text) ?? {};
  const parsed = parseLine(JSON.stringify(line));
  if (parsed === undefined || !('line' in parsed)) throw new CommandFailed(`${file} is no head: lictor audit head writes one.`);
  const { statement, signature } = parsed.line;
  return { signed: { text: statement, signature }, publicKey: typeof publicKey === 'string' ? publicKey : undefined };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** SPKI, DER, base64; from a head, or from PEM. */
function publicKeyIn(file: string): string {
  const text = readable(file, () => readFileSync(file, 'utf8'));
  const pem = /-----BEGIN PUBLIC KEY-----([\s\S]+?)-----END PUBLIC KEY-----/.exec(text)?.[1];
  if (pem !== undefined) return pem.replaceAll(/\s/g, '');
  const { publicKey } = readHeadFile(file);
  if (publicKey === undefined) throw new CommandFailed(`${file} holds no public key: give a head of lictor audit head, or PEM.`);
  return publicKey;
}

function readable<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
