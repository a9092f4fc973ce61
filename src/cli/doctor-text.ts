// Findings as text: by group, one line each, with the remedy below each problem.
import { type Finding, GROUPS, type Group } from '../operations/doctor/finding.ts';
import { type Look, wrapWords } from './table.ts';
import { printable, quantity } from './text.ts';

const TITLES: Readonly<Record<Group, string>> = {
  machine: 'machine         nginx, limits, disk, databases',
  edge: 'edge            processes, sockets and cache between them',
  'public-url': 'public-url      public_url, as everybody sees it',
  upstream: 'upstream        Prefect, asked directly',
  identity: 'identity        providers of lictor.yaml',
  sockets: 'sockets         live events, logs, workers; tried with a token that was made for this run and is revoked',
  certificates: 'certificates    of public_url',
};

/** The last line has the counts. */
export function renderFindings(findings: readonly Finding[], look: Look): readonly string[] {
  const groups = GROUPS.filter((group) => findings.some((finding) => finding.group === group));
  return [
    ...groups.flatMap((group) => [
      ...title(group, look),
      ...findings.filter((finding) => finding.group === group).flatMap((finding) => lines(finding, look)),
      '',
    ]),
    summary(findings, look),
  ];
}

function title(group: Group, { paint, width }: Look): readonly string[] {
  const [, name = '', rest = ''] = /^(\S+ +)(.*)$/.exec(TITLES[group]) ?? [];
  return wrapWords(rest, width - name.length).map((line, index) => `${index === 0 ? paint('bold', name) : ' '.repeat(name.length)}${paint('dim', line)}`);
}

const STYLE = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const WORD = { ok: 'ok  ', warn: 'hint', fail: 'FAIL' } as const;

function lines({ status, message, remedy }: Finding, { paint, width }: Look): readonly string[] {
  const first = `  ${paint(STYLE[status], WORD[status])}  `;
  const said = wrapWords(printable(message), width - 8).map((line, index) => `${index === 0 ? first : '        '}${line}`);
  const done =
    remedy === null ? [] : wrapWords(printable(remedy), width - 11).map((line, index) => `        ${paint('dim', index === 0 ? '->' : '  ')} ${line}`);
  return [...said, ...done];
}

function summary(findings: readonly Finding[], { paint }: Look): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const words = `${count('ok')} ok, ${quantity(warned, 'hint')}, ${failed} FAIL`;
  return paint('bold', paint(failed === 0 ? 'green' : 'red', words));
}
