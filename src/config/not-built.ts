// Keys of lictor.yaml whose part is not built yet: rejected, never ignored.
import { visitKeys } from './key-places.ts';
import type { Report } from './report.ts';

interface NotBuilt {
  /** Keys from the root; `*` is any index of a list. */
  readonly at: readonly string[];
  readonly part: string;
  /** Lictor rejects only these values; left out: every value. */
  readonly refuses?: (value: unknown) => boolean;
}

const NOT_BUILT: readonly NotBuilt[] = [
  { at: ['store'], part: 'the Postgres store', refuses: (value) => typeof value === 'string' && /^postgres(ql)?:/.test(value) },
  { at: ['store_listen'], part: 'the Postgres store' },
];

/** Reports every key in the data whose part is not built yet. */
export function reportNotBuilt(data: unknown, report: Report): void {
  for (const { at, part, refuses } of NOT_BUILT)
    visitKeys(data, at, (keys, value) => {
      const { message, remedy } = notBuiltText(part);
      if (refuses?.(value) !== false) report(keys, message, remedy);
    });
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
