// A timeline as text: the start of the run, then its entries. Routine entries are only counted.
import { chainWords } from '../contract/chain-words.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { actionWords, eventWords } from '../record/timeline/action-words.ts';
import { commonName, groupChatter, type TimelineLine } from '../record/timeline/group.ts';
import type { PrefectAnswer } from '../record/timeline/prefect-run.ts';
import type { TaskRun } from '../record/timeline/task-runs.ts';
import { flatten, type NestedEntry, type Timeline } from '../record/timeline/timeline.ts';
import { gatewayWords, reasonWords } from './record-words.ts';
import { startLines } from './start-words.ts';
import { fitWidths, WIDE, wrapCell } from './table.ts';
import { cell, type Paint, printable, span } from './text.ts';

export interface TimelineText {
  readonly id: string;
  readonly timeline: Timeline;
  readonly answer: PrefectAnswer;
  readonly all: boolean;
  readonly paint: Paint;
  /** The most characters in a line. */
  readonly width: number;
}

interface Look {
  readonly paint: Paint;
  readonly widths: Widths;
}

/** Lines of at most `width` characters. */
export function renderTimeline({ id, timeline, answer, all, paint, width }: TimelineText): readonly string[] {
  const look: Look = { paint, widths: widthsOf(width) };
  const entries = flatten(timeline);
  const lines = all ? entries.map((one): TimelineLine => ({ ...one, count: 1, until: one.entry.time })) : groupChatter(entries);
  const zeroMs = Date.parse(entries[0]?.entry.time ?? '');
  const folded = entries.length - lines.length;
  return [
    ...header(id, timeline, entries, look),
    ...notes(timeline, answer).flatMap((note) => fitted(printable(note), look.widths).map((part) => paint('yellow', `  ! ${part}`))),
    '',
    paint('dim', row({ offset: 'AFTER', who: 'WHO', action: 'ACTION', status: '', binding: 'BINDING', rest: 'FROM' }, look.widths)),
    ...withGaps(lines, zeroMs, look),
    ...(folded > 0 ? ['', paint('dim', `${entries.length} entries; reads, reports and many alike tasks are counted, --all shows each.`)] : []),
  ];
}

function header(id: string, { name: runName, state, start }: Timeline, entries: readonly NestedEntry[], { paint, widths }: Look): readonly string[] {
  const last = Date.parse(entries.at(-1)?.entry.time ?? '') - Date.parse(entries[0]?.entry.time ?? '');
  const name = paint('bold', printable(runName ?? 'flow run'));
  const shown = state === null ? '' : `  ${paint(STATE_STYLE[state] ?? 'cyan', printable(state))}`;
  return [
    `${name}${shown}  ${Number.isNaN(last) ? '' : `${span(last)}  `}${paint('dim', id)}`,
    ...startLines(start).flatMap((line, index) => (index === 0 ? fitted(line, widths).map((part) => `  ${part}`) : [cut(`  ${line}`, widths.line - 2)])),
  ];
}

/** Wraps the text on a narrow terminal. */
function fitted(text: string, { line }: Widths): readonly string[] {
  return line < WIDE ? wrapCell(text, line - 4) : [text];
}

const STATE_STYLE: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  Completed: 'green',
  Failed: 'red',
  Crashed: 'red',
  TimedOut: 'red',
  Cancelled: 'yellow',
  Cancelling: 'yellow',
};

/** The limits of the evidence. */
function notes({ start }: Timeline, answer: PrefectAnswer): readonly string[] {
  return [
    ...(start.contradicting_label === null ? [] : [`Prefect's label names ${start.contradicting_label}; the ledger's own record of the creation is shown.`]),
    ...(start.evidence === 'label' ? ["This is what Prefect's label says; the ledger has no record of the creation."] : []),
    ...(answer.found === 'no' ? ['Prefect does not know this run any more; this is what the ledger has.'] : []),
    ...(answer.found === 'unknown' ? [`Prefect could not be asked; this is what the ledger and the stored events have: ${answer.problem}`.slice(0, 112)] : []),
  ];
}

/** Adds a line with the duration of each long gap. */
function withGaps(lines: readonly TimelineLine[], zeroMs: number, look: Look): readonly string[] {
  const wholeMs = Date.parse(lines.at(-1)?.until ?? '') - zeroMs;
  const noticeableMs = Math.max(2_000, wholeMs / 20);
  let quietFrom = zeroMs;
  return lines.flatMap((line) => {
    const gapMs = Date.parse(line.entry.time) - quietFrom;
    quietFrom = Math.max(quietFrom, Date.parse(line.until));
    const shown = renderLine(line, zeroMs, look);
    return gapMs < noticeableMs ? [shown] : [look.paint('dim', row({ offset: '', who: `    ... ${span(gapMs)}` }, look.widths)), shown];
  });
}

function renderLine({ entry, count, until, depth }: TimelineLine, zeroMs: number, look: Look): string {
  const { paint, widths } = look;
  const offset = `+${offsetWords(Date.parse(entry.time) - zeroMs)}`;
  const indent = '  '.repeat(depth);
  if (entry.kind === 'state') {
    const lasted = entry.lastedMs === null ? '' : span(entry.lastedMs);
    const who = paint(STATE_STYLE[entry.state.name] ?? 'cyan', cell(`${indent}  = ${entry.state.name}`, widths.who));
    return row({ offset, who, action: `${cell(lasted, 8)}${paint('dim', cut(entry.state.message ?? '', widths.line - OFFSET - widths.who - 12))}` }, widths);
  }
  if (entry.kind === 'task') return taskLine(entry.task, { offset, indent, count, lastedMs: Date.parse(until) - Date.parse(entry.time) }, look);
  if (entry.kind === 'event') return row({ offset, who: paint('dim', cut(`${indent}  ~ ${eventWords(entry.event)}`, widths.line - OFFSET)) }, widths);
  if (entry.kind === 'run') return row({ offset, who: paint('bold', cut(`${indent}  > ${runWords(entry.timeline)}`, widths.line - OFFSET)) }, widths);
  if (entry.kind === 'gateway')
    return row({ offset, who: paint('yellow', cut(`${indent}  * ${gatewayWords(entry.record) ?? ''}`, widths.line - OFFSET)) }, widths);
  const line = recordLine(entry.record, { offset, indent, count, lastedMs: Date.parse(until) - Date.parse(entry.time) }, widths);
  if (count > 1) return paint('dim', line);
  return entry.kind === 'decision' ? paintDenial(paint, entry.record, line) : line;
}

/** A denial of observe mode was forwarded. */
function paintDenial(paint: Paint, { mode }: LedgerRecord, line: string): string {
  return paint(mode === 'observe' ? 'yellow' : 'red', line);
}

interface Place {
  readonly offset: string;
  readonly indent: string;
  readonly count: number;
  readonly lastedMs: number;
}

function recordLine(record: LedgerRecord, { offset, indent, count, lastedMs }: Place, widths: Widths): string {
  const many = count > 1;
  const line = {
    offset,
    who: `${indent}${record.principal === null ? '-' : chainWords([record.principal, ...record.on_behalf_of])}`,
    action: many ? `${count}x ${actionWords(record)}` : actionWords(record),
    status: String(record.status ?? '-'),
    binding: record.run_binding,
    rest: many ? `${cell(record.source_ip ?? '', 15)}  over ${span(lastedMs)}` : restWords(record),
  };
  return row(line, widths);
}

function taskLine(task: TaskRun, { offset, indent, count, lastedMs }: Place, { paint, widths }: Look): string {
  const many = count > 1;
  const who = cell(`${indent}  . ${many ? `${count}x ${commonName(task.name)}` : task.name}`, widths.who);
  const lasted = many ? `over ${span(lastedMs)}` : task.durationMs === null ? '' : span(task.durationMs);
  const again = !many && task.attempts > 1 ? `  ${task.attempts} attempts` : '';
  return row({ offset, who, action: `${cell(lasted, many ? 12 : 8)}${paint(STATE_STYLE[task.state] ?? 'cyan', printable(task.state))}${again}` }, widths);
}

function runWords({ id, name, state, start }: Timeline): string {
  const who = start.principal === null ? '' : `  by ${chainWords([start.principal, ...start.on_behalf_of])}`;
  return `${name ?? 'flow run'}  ${state ?? ''}  ${id}${who}`;
}

function restWords(record: LedgerRecord): string {
  const lasted = record.service === null || record.duration_ms === null ? '' : span(record.duration_ms);
  return [reasonWords(record), record.cache ?? '', lasted, record.source_ip ?? ''].filter((part) => part !== '').join('  ');
}

interface Widths {
  readonly line: number;
  readonly who: number;
  readonly action: number;
  /** 0 on a narrow terminal, which does not show it. */
  readonly binding: number;
  readonly rest: number;
}

/** The column of the time, with its gap. */
const OFFSET = 11;
const STATUS = 3;

function widthsOf(line: number): Widths {
  const binding = line < WIDE ? 0 : 8;
  const gaps = binding === 0 ? 6 : 8;
  const [who = 0, action = 0, rest = 0] = fitWidths([20, 26, 44], line - OFFSET - STATUS - binding - gaps);
  return { line, who, action, binding, rest };
}

interface Row {
  readonly offset: string;
  readonly who: string;
  readonly action?: string;
  readonly status?: string;
  readonly binding?: string;
  readonly rest?: string;
}

function row({ offset, who, action, status, binding, rest }: Row, widths: Widths): string {
  const start = `${offset.padStart(OFFSET - 2)}  `;
  if (action === undefined) return start + who;
  if (status === undefined) return `${start}${who}  ${action}`.trimEnd();
  const bound = widths.binding === 0 ? [] : [cell(binding ?? '', widths.binding)];
  const cells = [cell(who, widths.who), cell(action, widths.action), cell(status, STATUS), ...bound, cell(rest ?? '', widths.rest)];
  return `${start}${cells.join('  ')}`.trimEnd();
}

function cut(text: string, width: number): string {
  return cell(text, width).trimEnd();
}

/** More precise than `span`, to show the order within a second. */
function offsetWords(ms: number): string {
  return ms < 60_000 ? `${(ms / 1_000).toFixed(3)}s` : span(ms);
}
