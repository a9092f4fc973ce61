// Keys of lictor.yaml that a release has removed or renamed: rejected with what to write instead, so that an upgrade changes no meaning in silence.
import { visitKeys } from './key-places.ts';
import type { Report } from './report.ts';

export interface FormerKey {
  /** Keys from the root; `*` is any index of a list. */
  readonly at: readonly string[];
  /** The first release without it. */
  readonly since: string;
  /** One sentence: what to write instead. */
  readonly remedy: string;
  /** Only these values are gone; left out: every value. */
  readonly values?: (value: unknown) => boolean;
}

/** Add a line here when a release removes or renames a key. Nothing is released yet. */
const FORMER_KEYS: readonly FormerKey[] = [];

/** Reports every former key in the data. */
export function reportFormerKeys(data: unknown, report: Report, former: readonly FormerKey[] = FORMER_KEYS): void {
  for (const { at, since, remedy, values } of former)
    visitKeys(data, at, (keys, value) => {
      if (values?.(value) !== false) report(keys, `Lictor ${since} and newer do not have this ${values === undefined ? 'key' : 'value'}`, remedy);
    });
}
