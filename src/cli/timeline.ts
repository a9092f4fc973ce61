// `lictor timeline`: one flow run's requests, refusals and states, and who started it.
import type { Command } from 'commander';
import { statePaths } from '../config/state-dir.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { openLedgerReader } from '../ledger/query.ts';
import { createUpstream } from '../prefect/upstream.ts';
import { askPrefect, type PrefectAnswer } from '../timeline/prefect-run.ts';
import { buildTimeline, type Timeline, type TimelineEntry } from '../timeline/timeline.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { parseRunId } from './flow-run-id.ts';
import { jsonText, painter, writeLine } from './text.ts';
import { renderTimeline } from './timeline-text.ts';

interface TimelineOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

const ANSWER_MS = 5_000;
/** The gateway's own events are looked for this long after a run's last sign: a gap is noticed after it began. */
const AFTERWARDS_MS = 3_600_000;

export function register(program: Command, context: CliContext): void {
  program
    .command('timeline')
    .description("one flow run's requests, refusals and states in time order, and who started it")
    .argument('<flow-run>', 'id of the flow run', parseRunId)
    .option('--all', 'every request, also the reads and reports that are counted otherwise')
    .option('--json', 'one entry a line, with every field; the first line is the run')
    .addHelpText('after', '\nExample:\n  lictor timeline 0199c0de-0000-7000-8000-000000000001\n')
    .action((id: string, options: TimelineOptions) => showTimeline(context, id, options));
}

async function showTimeline(context: CliContext, id: string, options: TimelineOptions): Promise<void> {
  const { records, gatewayEvents } = await readLedger(context, id);
  const answer = await ask(context, id);
  if (records.length === 0 && answer.found !== 'yes') throw new CommandFailed(nothingKnown(id, answer));
  const { run, states } = answer.found === 'yes' ? answer : { run: null, states: [] };
  const timeline = buildTimeline({ run, states, records, gatewayEvents });
  const lines =
    options.json === true
      ? jsonLines(id, timeline, answer)
      : renderTimeline({ id, timeline, answer, all: options.all === true, paint: painter(context.out, context.env) });
  for (const line of lines) await writeLine(context.out, line);
}

async function readLedger(
  context: CliContext,
  id: string,
): Promise<{ readonly records: readonly LedgerRecord[]; readonly gatewayEvents: readonly LedgerRecord[] }> {
  const reader = openLedgerReader(statePaths(context.stateDir(), '').ledgerFile);
  try {
    const records = await reader.forFlowRun(id);
    const [first, last] = [records[0]?.time, records.at(-1)?.time];
    if (first === undefined || last === undefined) return { records, gatewayEvents: [] };
    const until = new Date(Date.parse(last) + AFTERWARDS_MS).toISOString();
    return { records, gatewayEvents: await reader.gatewayEvents(first, until) };
  } finally {
    reader.close();
  }
}

/** A configuration that cannot be loaded is no reason to hide what the ledger has. */
async function ask(context: CliContext, id: string): Promise<PrefectAnswer> {
  try {
    const { config } = await context.loadContext({ secrets: 'read' });
    const upstream = createUpstream({ ...config.prefect, publicUrl: null, connectTimeoutMs: ANSWER_MS, answerTimeoutMs: ANSWER_MS });
    const answer = await askPrefect(upstream, id);
    await upstream.close();
    return answer;
  } catch (error) {
    return { found: 'unknown', problem: error instanceof Error ? error.message : String(error) };
  }
}

function nothingKnown(id: string, answer: PrefectAnswer): string {
  if (answer.found === 'no') return `No flow run ${id}: neither Prefect nor the ledger knows it.`;
  const problem = answer.found === 'unknown' ? answer.problem : '';
  return `The ledger has no record of flow run ${id}, and Prefect could not be asked: ${problem}`;
}

function jsonLines(id: string, { run, start, entries }: Timeline, answer: PrefectAnswer): readonly string[] {
  const head = { kind: 'run', flow_run_id: id, name: run?.name ?? null, state: run?.state ?? null, prefect: answer.found, started_by: start };
  return [head, ...entries.map(flat)].map((value) => jsonText(value));
}

function flat(entry: TimelineEntry): object {
  if (entry.kind !== 'state') return { kind: entry.kind, ...entry.record };
  const { id, type, name, message } = entry.state;
  return { kind: 'state', time: entry.time, state_id: id, state_type: type, state_name: name, message };
}
