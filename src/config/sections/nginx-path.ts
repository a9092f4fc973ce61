// A file whose path stands in nginx's configuration.
import type { Keys, Report } from '../report.ts';

/** nginx expands a `$` in some directives and not in others, and has no escape for it. False: reported. */
export function checkNginxPath(file: string, keys: Keys, report: Report): boolean {
  if (!file.includes('$')) return true;
  report(keys, `${file} holds a $, which nginx would expand`, 'Move the file to a path without one.');
  return false;
}
