// The written table of reasons: docs/reference/errors.md is made from the list itself.
import { REASONS } from './reasons.ts';

/** Markdown rows `code | status | detail | hint`, in the order of the list; allows are no errors. */
export function renderReasonsTable(): string {
  const rows = Object.entries(REASONS)
    .filter(([, text]) => text.status >= 400)
    .map(([code, { status, detail, hint }]) => `| \`${code}\` | ${status} | ${detail} | ${hint === '' ? '-' : hint.replaceAll('|', '\\|')} |`);
  return ['| code | status | says | remedy |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
