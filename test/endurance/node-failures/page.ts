// The table of docs/explanation/node-failures.md: UPDATE_FAILURES=1 writes the row of each failure that was seen.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../../src/cli/repository.ts';
import { TASKS } from './room.ts';
import type { Seen } from './row.ts';

const PAGE = join(REPOSITORY, 'docs/explanation/node-failures.md');
const [BEGINS, ENDS] = ['<!-- made by test/endurance/node-failures.test.ts -->', '<!-- end of the table -->'];
const HEAD = [
  '| failure | 2xx | 401, 403, 429 | 502, 503 | closed without an answer | sockets that closed | flow run | records | all well after |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

export function writeRow(seen: Seen, names: readonly string[]): void {
  if (process.env['UPDATE_FAILURES'] !== '1' || process.env['LICTOR_FAILURE_SECONDS'] !== undefined) return;
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGINS), page.indexOf(ENDS)];
  const former = page
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !HEAD.includes(line));
  const rows = new Map([...former.map((line) => [line.slice(2, line.indexOf(' |')), line] as const), [seen.name, rowOf(seen)]]);
  const ordered = names.flatMap((name) => rows.get(name) ?? []);
  writeFileSync(PAGE, `${page.slice(0, from)}${[BEGINS, '', ...HEAD, ...ordered, '', ''].join('\n')}${page.slice(to)}`);
}

function rowOf({ name, succeeded, due, unavailable, closed: broken, socketEnds, run, tasks, records, recoveryMs }: Seen): string {
  const closed = Object.entries(socketEnds).map(([code, count]) => `${number(count)} with ${code}`);
  const gaps = records.inGaps === 0 ? '' : `, ${number(records.inGaps)} in named gaps`;
  const cells = [
    ...[name, number(succeeded), number(due), number(unavailable), number(broken)],
    closed.length === 0 ? 'none' : closed.join(', '),
    `${run === 'COMPLETED' ? 'Completed' : run}, ${tasks} of ${TASKS} tasks`,
    `${number(records.single)} once, ${number(records.summed)} in sums${gaps}`,
    `${(recoveryMs / 1_000).toFixed(1)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
