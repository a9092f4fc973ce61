// `lictor audit`: the records of the ledger, filtered, as aligned lines or NDJSON.
import { type Command, Option } from 'commander';
import { statePaths } from '../config/state-dir.ts';
import { nearestName } from '../config/suggest.ts';
import { assertedWords } from '../contract/asserted.ts';
import { LictorError } from '../contract/error.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { type AuditFilter, type LedgerReader, openLedgerReader } from '../ledger/query.ts';
import { gatherStart } from '../timeline/gather.ts';
import { noPrefect } from '../timeline/prefect-source.ts';
import {
  parseAction,
  parseAddress,
  parseCount,
  parsePath,
  parseReason,
  parseRecordId,
  parseRunId,
  parseStatus,
  parseText,
  parseWhen,
} from './audit-filters.ts';
import { registerProof } from './audit-proof.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { actionWords, gatewayWords, reasonWords } from './record-words.ts';
import { startLines } from './start-words.ts';
import { cell, jsonText, type Paint, painter, writeLine } from './text.ts';

interface AuditOptions extends Omit<AuditFilter, 'follow'> {
  readonly follow?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('the ledger: who did what, when, from where, and why it was allowed or refused')
    .option('--flow-run <id>', 'only requests bound to this flow run', parseRunId)
    .option('--principal <id>', 'only this principal: alice@local, token:etl-worker', parseText)
    .option('--action <action>', 'one action, or all of a noun: flow_runs.create, flow_runs.*', parseAction)
    .addOption(new Option('--decision <decision>', 'only what was allowed, or refused').choices(['allow', 'deny']))
    .option('--reason <code>', 'only with this reason: policy-default-deny', parseReason)
    .option('--status <status>', 'only answers of this status, or of a class: 403, 5xx', parseStatus)
    .option('--address <address>', 'only from this address, or network: 192.0.2.7, 10.0.0.0/8', parseAddress)
    .option('--path <path>', 'only this path, or all below: /api/deployments/*', parsePath)
    .option('--deployment <id>', 'only requests bound to this deployment', parseRunId)
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
  // Its subcommands would inherit it: they refuse what is too much by themselves.
  audit.allowExcessArguments();
}

async function runAudit(context: CliContext, { json, follow, ...filter }: AuditOptions): Promise<void> {
  assertOrder(filter);
  const file = statePaths(context.stateDir(), '').ledgerFile;
  const reader = openLedgerReader(file);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    // Before what is found, since --follow has no end.
    await askBack(context, filter);
    if (filter.flowRun !== undefined && json !== true) await printStart(context, reader, filter.flowRun);
    const whole: AuditFilter = follow === true ? { ...filter, follow: { signal: stop.signal } } : filter;
    const { count, last } = await print(context, reader.audit(whole), json === true);
    if (json === true || stop.signal.aborted) return;
    if (count === 0) context.err.write('No record fits.\n');
    if (count === filter.limit && last !== undefined) context.err.write(`The next page: the same with --after ${last}\n`);
  } catch (error) {
    if (error instanceof LictorError && error.code === 'record-unknown') throw new CommandFailed(error.message, error);
    throw new CommandFailed(`The ledger ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    process.removeListener('SIGINT', interrupt);
    reader.close();
  }
}

/** A word that is no subcommand is a misspelt one. */
function assertNoWord({ args: [word], commands }: Command): void {
  if (word === undefined) return;
  const names = commands.map((command) => command.name());
  const near = nearestName(word, names);
  throw new UsageError(`audit ${word} is no command. ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean ${near}?`}`);
}

function assertOrder({ since, until }: AuditFilter): void {
  if (since !== undefined && until !== undefined && since >= until) throw new UsageError(`--since ${since} is not before --until ${until}.`);
}

/** Nothing is refused for it: an older Lictor may have written other words. */
async function askBack({ err }: CliContext, filter: AuditFilter): Promise<void> {
  if (filter.action === undefined && filter.reason === undefined) return;
  const { didYouMean } = await import('./known-words.ts');
  for (const question of didYouMean(filter)) err.write(`${question}\n`);
}

/** Who started the run that the records are about; a schedule or an automation has no record. */
async function printStart({ out, env }: CliContext, reader: LedgerReader, flowRun: string): Promise<void> {
  const paint = painter(out, env);
  const start = await gatherStart({ reader, prefect: noPrefect('') }, flowRun);
  if (start.route === 'unknown' && start.parent === null) return;
  for (const line of startLines(start)) await writeLine(out, paint('dim', cell(line, 118).trimEnd()));
}

interface Printed {
  readonly count: number;
  /** Id of the last record. */
  readonly last: string | undefined;
}

async function print({ out, env }: CliContext, records: AsyncIterable<LedgerRecord>, json: boolean): Promise<Printed> {
  const paint = painter(out, env);
  let count = 0;
  let last: string | undefined;
  for await (const record of records) {
    if (count === 0 && !json) await writeLine(out, paint('bold', HEADER));
    await writeLine(out, json ? jsonText(record) : auditLine(record, paint));
    count += 1;
    last = record.id;
  }
  return { count, last };
}

const WIDTH = { time: 19, principal: 18, status: 3, action: 20, from: 15, rest: 36 } as const;
const HEADER = auditRow({ time: 'TIME (UTC)', principal: 'PRINCIPAL', status: '', action: 'ACTION', from: 'FROM', rest: 'OBJECT OR REASON' });

/** At most 120 characters. A refusal says why instead of on what: --json has both. */
export function auditLine(record: LedgerRecord, paint: Paint): string {
  const time = record.time.slice(0, 19).replace('T', ' ');
  const words = gatewayWords(record);
  if (words !== undefined) return `${time}  ${paint('yellow', cell(`* ${words}`, 120 - WIDTH.time - 2).trimEnd())}`;
  const denied = record.decision === 'deny';
  // A run, or deployment, that the client has named in a header: nobody has proven it.
  const flag = record.run_binding === 'asserted' ? 'asserted: ' : '';
  const by = assertedWords(record.on_behalf_of);
  const what = `${flag}${denied ? `deny ${record.reason ?? ''}` : reasonWords(record) || (record.resource_id ?? '')}`;
  const rest = by === '' ? what : `${what} (${by})`;
  const { principal, status, source_ip } = record;
  const line = auditRow({ time, principal: principal ?? '-', status: String(status ?? '-'), action: actionWords(record), from: source_ip ?? '-', rest });
  return denied ? paint('red', line) : line;
}

function auditRow(row: Readonly<Record<keyof typeof WIDTH, string>>): string {
  const { time, principal, status, action, from, rest } = row;
  const start = `${cell(time, WIDTH.time)}  ${cell(principal, WIDTH.principal)}  ${cell(status, WIDTH.status)}`;
  return `${start} ${cell(action, WIDTH.action)}  ${cell(from, WIDTH.from)}  ${cell(rest, WIDTH.rest)}`.trimEnd();
}
