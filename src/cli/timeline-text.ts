// A timeline for people: who started the run, then what happened, with the chatter counted.
import type { PrefectEvent } from '../contract/prefect-event.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { commonName, groupChatter, type TimelineLine } from '../timeline/group.ts';
import type { PrefectAnswer } from '../timeline/prefect-run.ts';
import type { TaskRun } from '../timeline/task-runs.ts';
import { flatten, type NestedEntry, type Timeline } from '../timeline/timeline.ts';
import { actionWords, gatewayWords, reasonWords } from './record-words.ts';
import { startLines } from './start-words.ts';
import { cell, type Paint, printable, span } from './text.ts';

export interface TimelineText {
  readonly id: string;
  readonly timeline: Timeline;
  readonly answer: PrefectAnswer;
  readonly all: boolean;
  readonly paint: Paint;
}

/** Lines of at most 120 characters. */
export function renderTimeline({ id, timeline, answer, all, paint }: TimelineText): readonly string[] {
  const entries = flatten(timeline);
  const lines = all ? entries.map((one): TimelineLine => ({ ...one, count: 1, until: one.entry.time })) : groupChatter(entries);
  const zeroMs = Date.parse(entries[0]?.entry.time ?? '');
  const folded = entries.length - lines.length;
  return [
    ...header(id, timeline, entries, paint),
    ...notes(timeline, answer).map((note) => paint('yellow', `  ! ${printable(note)}`)),
    '',
    paint('dim', row({ offset: 'AFTER', who: 'WHO', action: 'ACTION', status: '', binding: 'BINDING', rest: 'FROM' })),
    ...withGaps(lines, zeroMs, paint),
    ...(folded > 0 ? ['', paint('dim', `${entries.length} entries; reads, reports and many alike tasks are counted, --all shows each.`)] : []),
  ];
}

function header(id: string, { name: runName, state, start }: Timeline, entries: readonly NestedEntry[], paint: Paint): readonly string[] {
  const last = Date.parse(entries.at(-1)?.entry.time ?? '') - Date.parse(entries[0]?.entry.time ?? '');
  const name = paint('bold', printable(runName ?? 'flow run'));
  const shown = state === null ? '' : `  ${paint(STATE_STYLE[state] ?? 'cyan', printable(state))}`;
  return [
    `${name}${shown}  ${Number.isNaN(last) ? '' : `${span(last)}  `}${paint('dim', id)}`,
    ...startLines(start).map((line, index) => (index === 0 ? `  ${line}` : cut(`  ${line}`, 118))),
  ];
}

const STATE_STYLE: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  Completed: 'green',
  Failed: 'red',
  Crashed: 'red',
  TimedOut: 'red',
  Cancelled: 'yellow',
  Cancelling: 'yellow',
};

/** What a reader must know before believing the rest. */
function notes({ start }: Timeline, answer: PrefectAnswer): readonly string[] {
  return [
    ...(start.contradicting_label === null ? [] : [`Prefect's label names ${start.contradicting_label}; the ledger's own record of the creation is shown.`]),
    ...(start.evidence === 'label' ? ["This is what Prefect's label says; the ledger has no record of the creation."] : []),
    ...(answer.found === 'no' ? ['Prefect does not know this run any more; this is what the ledger has.'] : []),
    ...(answer.found === 'unknown' ? [`Prefect could not be asked; this is what the ledger and the stored events have: ${answer.problem}`.slice(0, 112)] : []),
  ];
}

/** Where nothing was seen for long, a line says how long. */
function withGaps(lines: readonly TimelineLine[], zeroMs: number, paint: Paint): readonly string[] {
  const wholeMs = Date.parse(lines.at(-1)?.until ?? '') - zeroMs;
  const noticeableMs = Math.max(2_000, wholeMs / 20);
  let quietFrom = zeroMs;
  return lines.flatMap((line) => {
    const gapMs = Date.parse(line.entry.time) - quietFrom;
    quietFrom = Math.max(quietFrom, Date.parse(line.until));
    const shown = renderLine(line, zeroMs, paint);
    return gapMs < noticeableMs ? [shown] : [paint('dim', row({ offset: '', who: `    ... ${span(gapMs)}` })), shown];
  });
}

function renderLine({ entry, count, until, depth }: TimelineLine, zeroMs: number, paint: Paint): string {
  const offset = `+${offsetWords(Date.parse(entry.time) - zeroMs)}`;
  const indent = '  '.repeat(depth);
  if (entry.kind === 'state') {
    const lasted = entry.lastedMs === null ? '' : span(entry.lastedMs);
    const who = paint(STATE_STYLE[entry.state.name] ?? 'cyan', cell(`${indent}  = ${entry.state.name}`, WIDTH.who));
    return row({ offset, who, action: `${cell(lasted, 8)}${paint('dim', cut(entry.state.message ?? '', 70))}` });
  }
  if (entry.kind === 'task') return taskLine(entry.task, { offset, indent, count, lastedMs: Date.parse(until) - Date.parse(entry.time) }, paint);
  if (entry.kind === 'event') return row({ offset, who: paint('dim', cut(`${indent}  ~ ${eventWords(entry.event)}`, 108)) });
  if (entry.kind === 'run') return row({ offset, who: paint('bold', cut(`${indent}  > ${runWords(entry.timeline)}`, 108)) });
  if (entry.kind === 'gateway') return row({ offset, who: paint('yellow', cut(`${indent}  * ${gatewayWords(entry.record) ?? ''}`, 108)) });
  const line = recordLine(entry.record, { offset, indent, count, lastedMs: Date.parse(until) - Date.parse(entry.time) });
  return count > 1 ? paint('dim', line) : entry.kind === 'decision' ? paint('red', line) : line;
}

interface Place {
  readonly offset: string;
  readonly indent: string;
  readonly count: number;
  readonly lastedMs: number;
}

function recordLine(record: LedgerRecord, { offset, indent, count, lastedMs }: Place): string {
  const many = count > 1;
  return row({
    offset,
    who: `${indent}${record.principal ?? '-'}`,
    action: many ? `${count}x ${actionWords(record)}` : actionWords(record),
    status: String(record.status ?? '-'),
    binding: record.run_binding,
    rest: many ? `${cell(record.source_ip ?? '', 15)}  over ${span(lastedMs)}` : restWords(record),
  });
}

function taskLine(task: TaskRun, { offset, indent, count, lastedMs }: Place, paint: Paint): string {
  const many = count > 1;
  const who = cell(`${indent}  . ${many ? `${count}x ${commonName(task.name)}` : task.name}`, WIDTH.who);
  const lasted = many ? `over ${span(lastedMs)}` : task.durationMs === null ? '' : span(task.durationMs);
  const again = !many && task.attempts > 1 ? `  ${task.attempts} attempts` : '';
  return row({ offset, who, action: `${cell(lasted, many ? 12 : 8)}${paint(STATE_STYLE[task.state] ?? 'cyan', printable(task.state))}${again}` });
}

function runWords({ id, name, state, start }: Timeline): string {
  const who = start.principal === null ? '' : `  by ${[start.principal, ...start.on_behalf_of].join(' for ')}`;
  return `${name ?? 'flow run'}  ${state ?? ''}  ${id}${who}`;
}

/** What Prefect told, in its own words where there are none of ours. */
function eventWords({ event, resource_name: name, resource_id: id }: PrefectEvent): string {
  const what = name ?? id;
  if (event === 'prefect.worker.submitted-flow-run') return `worker ${what} started its process`;
  if (event === 'prefect.worker.executed-flow-run') return `worker ${what} saw it end`;
  return `${event.replace(/^prefect\./, '')}${event.startsWith('prefect.flow-run.') ? '' : `  ${what}`}`;
}

function restWords(record: LedgerRecord): string {
  const lasted = record.service === null || record.duration_ms === null ? '' : span(record.duration_ms);
  return [reasonWords(record), record.cache ?? '', lasted, record.source_ip ?? ''].filter((part) => part !== '').join('  ');
}

const WIDTH = { offset: 9, who: 20, action: 26, status: 3, binding: 8, rest: 44 } as const;

interface Row {
  readonly offset: string;
  readonly who: string;
  readonly action?: string;
  readonly status?: string;
  readonly binding?: string;
  readonly rest?: string;
}

function row({ offset, who, action, status, binding, rest }: Row): string {
  const start = `${offset.padStart(WIDTH.offset)}  `;
  if (action === undefined) return start + who;
  if (status === undefined) return `${start}${who}  ${action}`.trimEnd();
  return `${start}${[cell(who, WIDTH.who), cell(action, WIDTH.action), cell(status, WIDTH.status), cell(binding ?? '', WIDTH.binding), cell(rest ?? '', WIDTH.rest)].join('  ')}`.trimEnd();
}

function cut(text: string, width: number): string {
  return cell(text, width).trimEnd();
}

/** Finer than `span`: what happens within a second has an order worth seeing. */
function offsetWords(ms: number): string {
  return ms < 60_000 ? `${(ms / 1_000).toFixed(3)}s` : span(ms);
}
