// A timeline for people: who started the run, then what happened, with the chatter counted.
import type { LedgerRecord } from '../contract/record.ts';
import { groupChatter, type TimelineLine } from '../timeline/group.ts';
import type { PrefectAnswer } from '../timeline/prefect-run.ts';
import type { Start } from '../timeline/start.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { actionWords, gatewayWords, reasonWords } from './record-words.ts';
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
  const { entries } = timeline;
  const lines = all ? entries.map((entry): TimelineLine => ({ entry, count: 1, until: entry.time })) : groupChatter(entries);
  const zeroMs = Date.parse(entries[0]?.time ?? '');
  const folded = entries.length - lines.length;
  return [
    ...header(id, timeline, paint),
    ...notes(timeline, answer).map((note) => paint('yellow', `  ! ${printable(note)}`)),
    '',
    paint('dim', row({ offset: 'AFTER', who: 'WHO', action: 'ACTION', status: '', binding: 'BINDING', rest: 'FROM' })),
    ...lines.map((line) => renderLine(line, zeroMs, paint)),
    ...(folded > 0 ? ['', paint('dim', `${entries.length} entries; reads and reports are counted, --all shows each.`)] : []),
  ];
}

function header(id: string, { run, start, entries }: Timeline, paint: Paint): readonly string[] {
  const last = Date.parse(entries.at(-1)?.time ?? '') - Date.parse(entries[0]?.time ?? '');
  const state = run?.state ?? null;
  const name = paint('bold', printable(run?.name ?? 'flow run'));
  const shown = state === null ? '' : `  ${paint(STATE_STYLE[state] ?? 'cyan', printable(state))}`;
  return [`${name}${shown}  ${Number.isNaN(last) ? '' : `${span(last)}  `}${paint('dim', id)}`, `  ${startWords(start, run?.autoScheduled === true)}`];
}

const STATE_STYLE: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  Completed: 'green',
  Failed: 'red',
  Crashed: 'red',
  TimedOut: 'red',
  Cancelled: 'yellow',
  Cancelling: 'yellow',
};

function startWords(start: Start, autoScheduled: boolean): string {
  if (start.evidence === 'none') return autoScheduled ? "started by Prefect's own scheduler" : 'started by nobody that this gateway saw';
  const behalf = start.on_behalf_of.length === 0 ? '' : ` for ${start.on_behalf_of.join(', for ')}`;
  const from = start.source_ip === null ? '' : ` from ${start.source_ip}`;
  const at = start.time === null ? '' : ` at ${start.time.slice(0, 19).replace('T', ' ')}Z`;
  const words = `started by ${start.principal ?? 'nobody known'}${behalf}${from}${at}`;
  return printable(start.request_id === null ? words : `${words}, request ${start.request_id}`);
}

/** What a reader must know before believing the rest. */
function notes({ start }: Timeline, answer: PrefectAnswer): readonly string[] {
  return [
    ...(start.contradicting_label === null ? [] : [`Prefect's label names ${start.contradicting_label}; the ledger's own record of the creation is shown.`]),
    ...(start.evidence === 'label' ? ["This is what Prefect's label says; the ledger has no record of the creation."] : []),
    ...(answer.found === 'no' ? ['Prefect does not know this run any more; this is what the ledger has.'] : []),
    ...(answer.found === 'unknown' ? [`Prefect could not be asked, so there are no states here: ${answer.problem}`.slice(0, 112)] : []),
  ];
}

function renderLine({ entry, count, until }: TimelineLine, zeroMs: number, paint: Paint): string {
  const offset = `+${offsetWords(Date.parse(entry.time) - zeroMs)}`;
  if (entry.kind === 'state')
    return row({ offset, who: paint('cyan', cell(`  = ${entry.state.name}`, WIDTH.who)), action: paint('dim', cut(entry.state.message ?? '', 80)) });
  const { record } = entry;
  if (entry.kind === 'gateway') return row({ offset, who: paint('yellow', cut(`  * ${gatewayWords(record) ?? ''}`, 108)) });
  const many = count > 1;
  const action = many ? `${count}x ${actionWords(record)}` : actionWords(record);
  const line = row({
    offset,
    who: record.principal ?? '-',
    action,
    status: String(record.status ?? '-'),
    binding: record.run_binding,
    rest: many ? `${cell(record.source_ip ?? '', 15)}  over ${span(Date.parse(until) - Date.parse(entry.time))}` : restWords(record),
  });
  return many ? paint('dim', line) : entry.kind === 'decision' ? paint('red', line) : line;
}

function restWords(record: LedgerRecord): string {
  return [reasonWords(record), record.source_ip ?? ''].filter((part) => part !== '').join('  ');
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
