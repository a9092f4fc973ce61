// Keys of lictor.yaml whose part is not built yet: rejected, never ignored.
import { isRecord } from './expand.ts';
import type { Keys, Report } from './report.ts';

interface NotBuilt {
  /** Keys from the root; `*` is any index of a list. */
  readonly at: readonly string[];
  readonly part: string;
  /** Lictor rejects only these values; left out: every value. */
  readonly refuses?: (value: unknown) => boolean;
}

const NOT_BUILT: readonly NotBuilt[] = [
  { at: ['store'], part: 'the Postgres store', refuses: (value) => typeof value === 'string' && /^postgres(ql)?:/.test(value) },
];

/** Reports every key in the data whose part is not built yet. */
export function reportNotBuilt(data: unknown, report: Report): void {
  for (const entry of NOT_BUILT) visit(data, entry, [], report);
}

/** The part that a key needs; undefined: it is built, or only some of its values are rejected. */
export function notBuiltPart(place: string): string | undefined {
  const keys = place.replaceAll('[]', '.*').split('.');
  return NOT_BUILT.find(({ at, refuses }) => refuses === undefined && at.length === keys.length && at.every((key, index) => key === keys[index]))?.part;
}

/** The text for a valid value whose part is not built yet. */
export function notBuiltText(part: string): { readonly message: string; readonly remedy: string } {
  return { message: `not built yet: ${part}`, remedy: 'Remove it; this version of lictor refuses what it would have to ignore.' };
}

function visit(value: unknown, entry: NotBuilt, keys: Keys, report: Report): void {
  const next = entry.at[keys.length];
  if (next === undefined) {
    if (entry.refuses?.(value) === false) return;
    const { message, remedy } = notBuiltText(entry.part);
    report(keys, message, remedy);
  } else if (next === '*') {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, entry, [...keys, index], report);
  } else if (isRecord(value) && Object.hasOwn(value, next)) {
    visit(value[next], entry, [...keys, next], report);
  }
}
