// `lictor observe report`: what enforcement would deny, and what to do before it. Changes nothing, needs no gateway.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { OBSERVED_DAYS } from '../authorization/decide/observation.ts';
import { createReportCollector, type ObserveReport, proposalText } from '../authorization/explain/observe-report.ts';
import { parseDurationSeconds } from '../config/duration.ts';
import { systemClock } from '../contract/clock.ts';
import { DOCTOR_REQUESTS, requestsOfDoctor } from '../contract/doctor-records.ts';
import { LictorError } from '../contract/error.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { type ExplainerBench, withExplainer } from './explainer-bench.ts';
import { renderTable } from './table.ts';
import { jsonText, printable } from './text.ts';

const WEEK_SECONDS = 604_800;

interface Options {
  readonly since?: number;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  const observe = program
    .command('observe')
    .description('show what enforcement would deny (docs/how-to/observe.md)')
    .addHelpText('after', '\nExample:\n  lictor observe report --since 7d\n');
  observe
    .command('report')
    .description('list would-be denials, clients without a credential, and the roles that fit')
    .option('--since <when>', 'from this time on: 24h, 7d (default: 7d)', parseSince)
    .option('--json', 'one would-be denial a line')
    .addHelpText('after', '\nExample:\n  lictor observe report --since 7d\n')
    .action((options: Options) => withExplainer(context, (bench) => report(context, bench, options)));
}

async function report(context: CliContext, bench: ExplainerBench, { since = WEEK_SECONDS, json }: Options): Promise<void> {
  const { ledgerFile } = bench.paths;
  if (!existsSync(ledgerFile)) throw new CommandFailed(`There is no ledger at ${ledgerFile} yet, so nothing was observed.`);
  const { policy, actions } = bench.parts;
  const reader = openLedgerReader(ledgerFile);
  const period = { since: new Date(systemClock() - since * 1000).toISOString() };
  const probes = new Set<string>();
  const collector = createReportCollector({ policy, actions, roles: bench.config.roles, probes, find: finderOf(bench) });
  try {
    // The record of these requests comes after them.
    for await (const record of reader.audit({ ...period, action: DOCTOR_REQUESTS })) for (const id of requestsOfDoctor(record)) probes.add(id);
    for await (const record of reader.audit(period)) collector.add(record);
  } finally {
    reader.close();
  }
  const found = await collector.whole();
  context.out.write(json === true ? found.denials.map((line) => `${jsonText(line)}\n`).join('') : render(found, context));
}

function finderOf({ findRecorded }: ExplainerBench) {
  return async (id: string) => {
    try {
      return (await findRecorded(id)).principal;
    } catch (error) {
      if (error instanceof LictorError && error.code === 'principal-unknown') return undefined;
      throw error;
    }
  };
}

function render({ denials, clients, proposals, readiness }: ObserveReport, context: CliContext): string {
  if (readiness.length === 0) return 'No request was observed in this time. lictor.yaml needs mode: observe (docs/how-to/observe.md).\n';
  const blocks = [
    block('Enforcement would deny', [['PRINCIPAL', 'ACTION', 'ON', 'REASON', 'COUNT'], ...denials.map(denialRow)], context),
    block('Clients without a credential of Lictor', [['ADDRESS', 'PROGRAM', 'REASON', 'COUNT'], ...clients.map(clientRow)], context),
    proposals.length === 0
      ? ''
      : `Roles that fit, as lines of roles in lictor.yaml\n\n${proposals.map((one) => `  ${printable(proposalText(one))}\n`).join('')}${INTENDED}`,
    block('Ready to enforce', [['WHO', 'REQUESTS', 'WOULD BE DENIED', 'READY'], ...readiness.map(readinessRow)], context),
  ];
  return `${blocks.filter((text) => text !== '').join('\n')}${UNSEEN}\nlictor enforce WHO enforces. Observation ends after ${OBSERVED_DAYS} days.\n`;
}

const INTENDED = '\nPaste only what the person should be able to do. A denial that you intend stays: enforce anyway.\n';
const UNSEEN = 'Members without a request in this time are not listed. lictor access ACTION shows what they may do.\n';

function block(title: string, rows: readonly (readonly string[])[], context: CliContext): string {
  return rows.length === 1 ? '' : `${title}\n\n${renderTable(rows, context)}`;
}

function denialRow({ principal, action, resource, would_be, count }: ObserveReport['denials'][number]): readonly string[] {
  return [principal, action, resource, would_be, String(count)];
}

function clientRow({ address, userAgent, reason, count }: ObserveReport['clients'][number]): readonly string[] {
  return [address, userAgent, reason, String(count)];
}

function readinessRow({ subject, requests, denials }: ObserveReport['readiness'][number]): readonly string[] {
  return [subject, String(requests), String(denials), denials === 0 ? 'yes' : 'no'];
}

function parseSince(text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds === undefined || seconds <= 0) throw new UsageError(`--since ${text}: write 24h, 7d or 30d.`);
  return seconds;
}
