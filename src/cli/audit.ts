// `lictor audit`: prints filtered records of the ledger, as aligned lines or NDJSON.
import { type Command, Option } from 'commander';
import { statePaths } from '../config/state-dir.ts';
import { nearestName } from '../config/suggest.ts';
import { assertedWords, chainWords } from '../contract/chain-words.ts';
import { LictorError } from '../contract/error.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { type AuditFilter, type LedgerReader, openLedgerReader } from '../record/ledger/query.ts';
import { unknownWords, withIds } from '../record/ledger/search/names.ts';
import { actionWords } from '../record/timeline/action-words.ts';
import { gatherStart } from '../record/timeline/gather.ts';
import { noPrefect } from '../record/timeline/prefect-source.ts';
import { parseAction, parseAddress, parseCount, parsePath, parseReason, parseRecordId, parseStatus, parseText, parseWhen } from './audit-filters.ts';
import { registerProof } from './audit-proof.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { gatewayWords, reasonWords } from './record-words.ts';
import { startLines } from './start-words.ts';
import { fitWidths, lineWidth, WIDE } from './table.ts';
import { cell, jsonText, type Paint, painter, writeLine } from './text.ts';

interface AuditOptions extends Omit<AuditFilter, 'follow'> {
  readonly follow?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('search the ledger: who did what, when, from where, and why it was allowed or denied')
    .option('--flow-run <run>', 'only requests bound to this flow run, by id or name', parseText)
    .option('--principal <id>', 'only this principal: alice@local, token:etl-worker', parseText)
    .option('--credential <id>', 'only with this credential, also a refused one: an id of lictor token list', parseText)
    .option('--action <action>', 'one action, or all of a noun: flow_runs.create, flow_runs.*', parseAction)
    .addOption(new Option('--decision <decision>', 'only what was allowed, or refused').choices(['allow', 'deny']))
    .option('--reason <code>', 'only with this reason: policy-default-deny', parseReason)
    .option('--status <status>', 'only answers of this status, or of a class: 403, 5xx', parseStatus)
    .option('--address <address>', 'only from this address, or network: 192.0.2.7, 10.0.0.0/8', parseAddress)
    .option('--path <path>', 'only this path, or all below: /api/deployments/*', parsePath)
    .option('--deployment <deployment>', 'only requests bound to this deployment, by id or name', parseText)
    .option('--resource <id>', 'only on this object, by id or name', parseText)
    .option('--request <id>', 'only the request with this X-Request-Id', parseText)
    .option('--text <words>', 'only where a name has these words: of a principal, object, action, path, reason, program', parseText)
    .option('--since <when>', 'from this time on: 24h, 90d, 2026-03-01, 2026-03-01T12:00:00Z', parseWhen)
    .option('--until <when>', 'up to this time', parseWhen)
    .option('-n, --last <count>', 'only the newest so many', parseCount)
    .addOption(new Option('--limit <count>', 'only the oldest so many: a page').argParser(parseCount).conflicts(['last', 'follow']))
    .option('--after <id>', 'the next page: what comes behind the record with this id', parseRecordId)
    .option('-f, --follow', 'go on with new records until interrupted')
    .option('--json', 'one record a line, with every field')
    .addHelpText(
      'after',
      '\nExample:\n  lictor audit --decision deny --since 24h\n  lictor audit --principal alice@local --action "flow_runs.*" --json\n  lictor audit --status 5xx --since 1h --follow\n',
    )
    .action((options: AuditOptions, command: Command) => {
      assertNoWord(command);
      return runAudit(context, options);
    });
  registerProof(audit, context);
  // Subcommands inherit this setting when they are created, so it is set after them. They still reject excess arguments.
  audit.allowExcessArguments();
}

async function runAudit(context: CliContext, { json, follow, ...given }: AuditOptions): Promise<void> {
  assertOrder(given);
  const file = statePaths(context.stateDir(), '').ledgerFile;
  const reader = openLedgerReader(file);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const filter = withIds(reader.events, given);
    // Before the records, because --follow has no end.
    await askBack(context, filter);
    if (filter.flowRun !== undefined && json !== true) await printStart(context, reader, filter.flowRun);
    const whole: AuditFilter = follow === true ? { ...filter, follow: { signal: stop.signal } } : filter;
    const printed = await print(context, reader.audit(whole), json === true);
    if (json !== true && !stop.signal.aborted) await sayEnd(context, reader, filter, printed);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    if (error instanceof LictorError && ['record-unknown', 'name-unknown'].includes(error.code)) throw new CommandFailed(error.message, error);
    throw new CommandFailed(`The ledger ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    process.removeListener('SIGINT', interrupt);
    reader.close();
  }
}

/** The reason for an empty result, or the start of the next page. */
async function sayEnd({ err }: CliContext, reader: LedgerReader, filter: AuditFilter, { count, last }: Printed): Promise<void> {
  if (count === 0) err.write(`${(await unknownWords({ reader, names: reader.events }, filter)) ?? 'No record fits.'}\n`);
  if (count === filter.limit && last !== undefined) err.write(`The next page: the same with --after ${last}\n`);
}

/** An argument that is no subcommand is probably misspelt. */
function assertNoWord({ args: [word], commands }: Command): void {
  if (word === undefined) return;
  const names = commands.map((command) => command.name());
  const near = nearestName(word, names);
  throw new UsageError(`audit ${word} is no command. ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean ${near}?`}`);
}

function assertOrder({ since, until }: AuditFilter): void {
  if (since !== undefined && until !== undefined && since >= until) throw new UsageError(`--since ${since} is not before --until ${until}.`);
}

/** Only a question, no error, because an older Lictor may have written other words. */
async function askBack({ err }: CliContext, filter: AuditFilter): Promise<void> {
  if (filter.action === undefined && filter.reason === undefined) return;
  const { didYouMean } = await import('../record/ledger/search/known-words.ts');
  for (const question of didYouMean(filter)) err.write(`${question}\n`);
}

/** Prints who started the run. A schedule or an automation has no record. */
async function printStart(context: CliContext, reader: LedgerReader, flowRun: string): Promise<void> {
  const { out, env } = context;
  const paint = painter(out, env);
  const start = await gatherStart({ reader, prefect: noPrefect('') }, flowRun);
  if (start.route === 'unknown' && start.parent === null) return;
  for (const line of startLines(start)) await writeLine(out, paint('dim', cell(line, lineWidth(context) - 2).trimEnd()));
}

interface Printed {
  readonly count: number;
  /** Id of the last record. */
  readonly last: string | undefined;
}

async function print(context: CliContext, records: AsyncIterable<LedgerRecord>, json: boolean): Promise<Printed> {
  const { out, env } = context;
  const [paint, widths] = [painter(out, env), auditWidths(lineWidth(context))];
  let count = 0;
  let last: string | undefined;
  for await (const record of records) {
    if (count === 0 && !json) await writeLine(out, paint('bold', auditRow(HEADER, widths)));
    await writeLine(out, json ? jsonText(record) : auditLine(record, paint, widths));
    count += 1;
    last = record.id;
  }
  return { count, last };
}

/** The widths of the columns. `from` is 0 on a narrow terminal, which shows no address. */
export interface AuditWidths {
  readonly line: number;
  readonly principal: number;
  readonly action: number;
  readonly from: number;
  readonly rest: number;
}

const TIME = 19;
const STATUS = 3;
/** The gaps between time, principal, status, action and the last column. */
const GAPS = 7;

export function auditWidths(line: number): AuditWidths {
  const from = line < WIDE ? 0 : 15;
  const fixed = TIME + STATUS + GAPS + (from === 0 ? 0 : from + 2);
  const [principal = 0, action = 0, rest = 0] = fitWidths([18, 20, 36], line - fixed);
  return { line, principal, action, from, rest };
}

/** A denied request shows the reason instead of the resource. --json has both. */
export function auditLine(record: LedgerRecord, paint: Paint, widths: AuditWidths): string {
  const time = record.time.slice(0, 19).replace('T', ' ');
  const words = gatewayWords(record);
  if (words !== undefined) return `${time}  ${paint('yellow', cell(`* ${words}`, widths.line - TIME - 2).trimEnd())}`;
  const denied = record.decision === 'deny';
  const { principal, on_behalf_of, status, source_ip } = record;
  const row = {
    time,
    principal: principal === null ? '-' : chainWords([principal, ...on_behalf_of]),
    status: String(status ?? '-'),
    action: actionWords(record),
    from: source_ip ?? '-',
    rest: restOf(record),
  };
  const line = auditRow(row, widths);
  return denied ? paint(record.mode === 'observe' ? 'yellow' : 'red', line) : line;
}

function restOf(record: LedgerRecord): string {
  // A client named this run or deployment in a header, without proof.
  const flag = record.run_binding === 'asserted' ? 'asserted: ' : '';
  const what = `${flag}${record.decision === 'deny' ? `${record.mode === 'observe' ? 'would deny' : 'deny'} ${record.reason ?? ''}` : reasonWords(record) || (record.resource_id ?? '')}`;
  const by = assertedWords(record.on_behalf_of);
  return by === '' ? what : `${what} (${by})`;
}

const HEADER = { time: 'TIME (UTC)', principal: 'PRINCIPAL', status: '', action: 'ACTION', from: 'FROM', rest: 'OBJECT OR REASON' } as const;

function auditRow(row: Readonly<Record<keyof typeof HEADER, string>>, widths: AuditWidths): string {
  const { time, principal, status, action, from, rest } = row;
  const start = `${cell(time, TIME)}  ${cell(principal, widths.principal)}  ${cell(status, STATUS)} ${cell(action, widths.action)}`;
  const address = widths.from === 0 ? '' : `  ${cell(from, widths.from)}`;
  return `${start}${address}  ${cell(rest, widths.rest)}`.trimEnd();
}
