// The steps of a report or verification, as they come, and the period that is asked for.
import type { operations } from '../../api/schema.d.ts';

type Line =
  | operations['post_evidence']['responses'][200]['content']['application/x-ndjson']
  | operations['post_evidence_verification']['responses'][200]['content']['application/x-ndjson'];
type Of<Name extends string> = Extract<Line, { [Key in Name]: unknown }> extends { [Key in Name]: infer Value } ? Value : never;

export type Progress = Of<'progress'>;
export type Verification = Of<'verification'>;
export type Report = Of<'report'>;

export interface Outcome {
  readonly progress?: Progress;
  readonly verification?: Verification;
  readonly report?: Report;
  /** Why it ended without a result. */
  readonly refusal?: string;
}

/** What is known after one more line. */
export function afterLine(before: Outcome, line: Line): Outcome {
  if ('progress' in line) return { ...before, progress: line.progress };
  if ('report' in line) return { report: line.report, verification: line.report.verification };
  if ('verification' in line) return { verification: line.verification };
  return { refusal: line.refusal.detail };
}

export function progressWords(progress: Progress | undefined): string {
  if (progress === undefined) return 'Reading the ledger…';
  const count = progress.records.toLocaleString('en');
  return progress.phase === 'period' ? `${count} records of the period read…` : `${count} records of the whole ledger verified…`;
}

const DAY_MS = 86_400_000;

/** Two days; both belong to it. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

/** The first one is the default. */
export function periods(nowMs: number): readonly [Choice, ...Choice[]] {
  const now = new Date(nowMs);
  const year = now.getUTCFullYear();
  const quarter = Math.floor(now.getUTCMonth() / 3) * 3;
  const today = day(nowMs);
  return [
    { text: 'Last 30 days', from: day(nowMs - 29 * DAY_MS), to: today },
    { text: 'This quarter', from: day(Date.UTC(year, quarter, 1)), to: today },
    { text: 'Last quarter', from: day(Date.UTC(year, quarter - 3, 1)), to: day(Date.UTC(year, quarter, 1) - DAY_MS) },
    { text: 'Last year', from: `${year - 1}-01-01`, to: `${year - 1}-12-31` },
  ];
}

type Choice = Period & { readonly text: string };

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** `1 record`, `1,204 records`. */
export function counted(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
}

/** What is wrong with a period. Undefined: nothing. */
export function periodProblem(from: string, to: string, nowMs: number): string | undefined {
  if (![from, to].every((text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)))) return 'Give both days.';
  if (from > to) return 'The first day is after the last one.';
  return Date.parse(from) > nowMs ? 'The first day is in the future.' : undefined;
}
