// `lictor audit`: the records of the ledger, filtered, as aligned lines or NDJSON.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { statePaths } from '../config/state-dir.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { type AuditFilter, openLedgerReader } from '../ledger/query.ts';
import { registerProof } from './audit-proof.ts';
import { parseWhen } from './audit-when.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { parseRunId } from './flow-run-id.ts';
import { actionWords, gatewayWords, reasonWords } from './record-words.ts';
import { cell, jsonText, type Paint, painter, writeLine } from './text.ts';

interface AuditOptions {
  readonly flowRun?: string;
  readonly principal?: string;
  readonly action?: string;
  readonly decision?: 'allow' | 'deny';
  readonly since?: string;
  readonly until?: string;
  readonly last?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('the ledger: who did what, when, from where, and why it was allowed or refused')
    .option('--flow-run <id>', 'only requests bound to this flow run', parseRunId)
    .option('--principal <id>', 'only this principal: alice@local, token:etl-worker')
    .option('--action <action>', 'one action, or all of a noun: flow_runs.create, flow_runs.*', parseAction)
    .addOption(new Option('--decision <decision>', 'only what was allowed, or refused').choices(['allow', 'deny']))
    .option('--since <when>', 'from this time on: 24h, 90d, 2026-03-01, 2026-03-01T12:00:00Z', parseWhen)
    .option('--until <when>', 'up to this time', parseWhen)
    .option('-n, --last <count>', 'only the newest so many', parseCount)
    .option('-f, --follow', 'go on with new records until interrupted')
    .option('--json', 'one record a line, with every field')
    .addHelpText('after', '\nExample:\n  lictor audit --decision deny --since 24h\n  lictor audit --principal alice@local --action "flow_runs.*" --json\n')
    .action((options: AuditOptions) => runAudit(context, options));
  registerProof(audit, context);
}

async function runAudit(context: CliContext, { json, follow, ...filter }: AuditOptions): Promise<void> {
  const file = statePaths(context.stateDir(), '').ledgerFile;
  const reader = openLedgerReader(file);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const whole: AuditFilter = follow === true ? { ...filter, follow: { signal: stop.signal } } : filter;
    const count = await print(context, reader.audit(whole), json === true);
    if (count === 0 && json !== true && !stop.signal.aborted) context.err.write('No record fits.\n');
  } catch (error) {
    throw new CommandFailed(`The ledger ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    process.removeListener('SIGINT', interrupt);
    reader.close();
  }
}

async function print({ out, env }: CliContext, records: AsyncIterable<LedgerRecord>, json: boolean): Promise<number> {
  const paint = painter(out, env);
  let count = 0;
  for await (const record of records) {
    if (count === 0 && !json) await writeLine(out, paint('bold', HEADER));
    await writeLine(out, json ? jsonText(record) : auditLine(record, paint));
    count += 1;
  }
  return count;
}

const WIDTH = { time: 19, principal: 18, status: 3, action: 20, from: 15, rest: 36 } as const;
const HEADER = auditRow({ time: 'TIME (UTC)', principal: 'PRINCIPAL', status: '', action: 'ACTION', from: 'FROM', rest: 'OBJECT OR REASON' });

/** At most 120 characters. A refusal says why instead of on what: --json has both. */
export function auditLine(record: LedgerRecord, paint: Paint): string {
  const time = record.time.slice(0, 19).replace('T', ' ');
  const words = gatewayWords(record);
  if (words !== undefined) return `${time}  ${paint('yellow', cell(`* ${words}`, 120 - WIDTH.time - 2).trimEnd())}`;
  const denied = record.decision === 'deny';
  const rest = denied ? `deny ${record.reason ?? ''}` : reasonWords(record) || (record.resource_id ?? '');
  const { principal, status, source_ip } = record;
  const line = auditRow({ time, principal: principal ?? '-', status: String(status ?? '-'), action: actionWords(record), from: source_ip ?? '-', rest });
  return denied ? paint('red', line) : line;
}

function auditRow(row: Readonly<Record<keyof typeof WIDTH, string>>): string {
  const { time, principal, status, action, from, rest } = row;
  const start = `${cell(time, WIDTH.time)}  ${cell(principal, WIDTH.principal)}  ${cell(status, WIDTH.status)}`;
  return `${start} ${cell(action, WIDTH.action)}  ${cell(from, WIDTH.from)}  ${cell(rest, WIDTH.rest)}`.trimEnd();
}

function parseAction(text: string): string {
  if (!/^[a-z_]+(?:\.[a-z_]+)*(?:\.\*)?$/.test(text)) throw new InvalidArgumentError('an action is written flow_runs.create, all of a noun flow_runs.*');
  return text;
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number above 0.');
  return Number(text);
}
