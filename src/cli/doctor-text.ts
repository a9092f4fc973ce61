// Findings for people: group by group, one line each, the remedy below what is not well.
import { type Finding, GROUPS, type Group } from '../doctor/finding.ts';
import { type Paint, printable } from './text.ts';

const TITLES: Readonly<Record<Group, string>> = {
  machine: 'machine         nginx, limits, disk, databases',
  edge: 'edge            processes, sockets and cache between them',
  door: 'door            public_url, as everybody sees it',
  upstream: 'upstream        Prefect, asked directly',
  identity: 'identity        providers of lictor.yaml',
  sockets: 'sockets         live events, logs, workers; tried with a token that was made for this run and is revoked',
  certificates: 'certificates    of public_url',
};

/** Ends with one line that counts. */
export function renderFindings(findings: readonly Finding[], paint: Paint): readonly string[] {
  const groups = GROUPS.filter((group) => findings.some((finding) => finding.group === group));
  return [
    ...groups.flatMap((group) => [
      title(group, paint),
      ...findings.filter((finding) => finding.group === group).flatMap((finding) => lines(finding, paint)),
      '',
    ]),
    summary(findings, paint),
  ];
}

function title(group: Group, paint: Paint): string {
  const [name = '', ...rest] = TITLES[group].split(/(?<=^\S+) /);
  return `${paint('bold', name)}${paint('dim', ` ${rest.join(' ')}`)}`;
}

const STYLE = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const WORD = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

function lines({ status, message, remedy }: Finding, paint: Paint): readonly string[] {
  const first = `  ${paint(STYLE[status], WORD[status])}  `;
  const said = wrap(printable(message)).map((line, index) => `${index === 0 ? first : '        '}${line}`);
  const done = remedy === null ? [] : wrap(printable(remedy), 108).map((line, index) => `        ${paint('dim', index === 0 ? '->' : '  ')} ${line}`);
  return [...said, ...done];
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const words = `${count('ok')} ok, ${warned} ${warned === 1 ? 'hint' : 'hints'}, ${failed} FAIL`;
  return paint('bold', paint(failed === 0 ? 'green' : 'red', words));
}

/** At most `width` characters a line; a word that is longer stays whole. */
function wrap(text: string, width = 111): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > width) {
      rows.push(row);
      row = word;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  return [...rows, row];
}
