// How a schema reports a problem: the params of zod's custom issues carry the remedy.
import { z } from 'zod';
import { isRecord } from '../expand.ts';
import type { Problem } from '../problem.ts';
import type { Keys, Report } from '../report.ts';

export type Complaint = Pick<Problem, 'message' | 'remedy'>;

/** For `refine`. */
export function says(error: string, remedy: string) {
  return { error, params: { remedy } };
}

/** For `transform` and `superRefine`; keys lead from the value that the schema checks. */
export function reporter(issues: z.RefinementCtx): Report {
  return (keys, message, remedy) => issues.addIssue({ code: 'custom', path: [...keys], message, params: { remedy } });
}

/** For `transform`: there is no value. */
export function reject(issues: z.RefinementCtx, { message, remedy }: Complaint, keys: Keys = []): never {
  reporter(issues)(keys, message, remedy);
  return z.NEVER;
}

/** For `superRefine`: a pure function as a check of zod. */
export function checkedBy<T>(complaintOf: (value: T) => Complaint | undefined) {
  return (value: T, issues: z.RefinementCtx): void => {
    const complaint = complaintOf(value);
    if (complaint !== undefined) reject(issues, complaint);
  };
}

/** For checks of a value whose parts have transforms: zod passes a part that failed as it was before its transform. An unknown key fails no part. */
export const ONLY_IF_SOUND = {
  when: ({ issues }: { readonly issues: readonly { readonly code?: string }[] }) => issues.every(({ code }) => code === 'unrecognized_keys'),
};

/** For `superRefine` of a list: no two items have the same value at `key`. Compares broken items too. */
export function withoutDuplicates(key: string, words: (value: unknown) => readonly [message: string, remedy: string], at: Keys = []) {
  const check = (items: readonly unknown[], issues: z.RefinementCtx): void => {
    const values = items.map((item) => (isRecord(item) ? item[key] : undefined));
    for (const [index, value] of values.entries()) {
      if (value !== undefined && values.indexOf(value) < index) reporter(issues)([index, ...at], ...words(value));
    }
  };
  return [check, { when: ({ value }: { readonly value: unknown }) => Array.isArray(value) }] as const;
}
