// `lictor timeline`: show a flow run's requests, denials, states and task runs in time order, and who started it.
import type { Command } from 'commander';
import { statePaths } from '../config/state-dir.ts';
import { createUpstream } from '../prefect/client/upstream.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { idOfNamed, meantName } from '../record/ledger/search/names.ts';
import { gatherTimeline } from '../record/timeline/gather.ts';
import type { PrefectAnswer } from '../record/timeline/prefect-run.ts';
import { noPrefect, type PrefectSource, prefectSource } from '../record/timeline/prefect-source.ts';
import { flatten, type NestedEntry, type Timeline } from '../record/timeline/timeline.ts';
import { parseText } from './audit-filters.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { lineWidth } from './table.ts';
import { jsonText, painter, writeLine } from './text.ts';
import { renderTimeline } from './timeline-text.ts';

interface TimelineOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

const ANSWER_MS = 5_000;

export function register(program: Command, context: CliContext): void {
  program
    .command('timeline')
    .description("one flow run's requests, refusals, states and task runs in one column of time, and who started it")
    .argument('<flow-run>', 'id or name of the flow run', parseText)
    .option('--all', 'every request and task run, also those that are counted otherwise')
    .option('--json', 'one entry a line, with every field; the first line is the run')
    .addHelpText('after', '\nExample:\n  lictor timeline 0199c0de-0000-7000-8000-000000000001\n')
    .action((id: string, options: TimelineOptions) => showTimeline(context, id, options));
}

async function showTimeline(context: CliContext, named: string, options: TimelineOptions): Promise<void> {
  const reader = openLedgerReader(statePaths(context.stateDir(), '').ledgerFile);
  const { prefect, close } = await openPrefect(context);
  try {
    const id = idOfNamed(reader.events, 'flow-run', named);
    const { timeline, answer } = await gatherTimeline({ reader, prefect }, id);
    const isKnown = timeline.entries.some(({ kind }) => kind !== 'gateway') || answer.found === 'yes';
    if (!isKnown) throw new CommandFailed(`${nothingKnown(id, answer)}${meantName(reader.events, 'flow-run', id)}`);
    const lines =
      options.json === true
        ? jsonLines(timeline, answer)
        : renderTimeline({ id, timeline, answer, all: options.all === true, paint: painter(context.out, context.env), width: lineWidth(context) });
    for (const line of lines) await writeLine(context.out, line);
  } finally {
    reader.close();
    await close();
  }
}

/** Without a valid configuration, the command still shows the records of the ledger. */
async function openPrefect(context: CliContext): Promise<{ readonly prefect: PrefectSource; close(): Promise<void> }> {
  try {
    const { config } = await context.loadContext({ secrets: 'read' });
    const upstream = createUpstream({ ...config.prefect, publicUrl: null, connectTimeoutMs: ANSWER_MS, answerTimeoutMs: ANSWER_MS });
    return { prefect: prefectSource(upstream), close: upstream.close };
  } catch (error) {
    return { prefect: noPrefect(error instanceof Error ? error.message : String(error)), close: async () => undefined };
  }
}

function nothingKnown(id: string, answer: PrefectAnswer): string {
  if (answer.found === 'no') return `No flow run ${id}: neither Prefect nor the ledger knows it.`;
  const problem = answer.found === 'unknown' ? answer.problem : '';
  return `The ledger has no record of flow run ${id}, and Prefect could not be asked: ${problem}`;
}

function jsonLines(timeline: Timeline, answer: PrefectAnswer): readonly string[] {
  const head = { ...runLine(timeline, 0), prefect: answer.found };
  return [head, ...flatten(timeline).map(flat)].map((value) => jsonText(value));
}

function runLine({ id, name, state, start }: Timeline, depth: number): object {
  return { kind: 'run', depth, flow_run_id: id, name, state, started_by: start };
}

function flat({ entry, depth, flowRunId }: NestedEntry): object {
  const place = { depth, flow_run_id: flowRunId };
  if (entry.kind === 'run') return { time: entry.time, parent_flow_run_id: flowRunId, ...runLine(entry.timeline, depth + 1) };
  if (entry.kind === 'task') {
    const { id, name, state, stateType, durationMs, attempts } = entry.task;
    return { kind: 'task', time: entry.time, ...place, task_run_id: id, name, state_name: state, state_type: stateType, duration_ms: durationMs, attempts };
  }
  if (entry.kind === 'event') return { kind: 'event', time: entry.time, ...entry.event, ...place };
  if (entry.kind !== 'state') return { kind: entry.kind, depth, ...entry.record };
  const { id, type, name, message } = entry.state;
  return { kind: 'state', time: entry.time, ...place, state_id: id, state_type: type, state_name: name, message, duration_ms: entry.lastedMs };
}
