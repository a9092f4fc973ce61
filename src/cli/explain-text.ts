// An explanation for people: the decision first, then who, what, which right, and which policy said so.
import type { LedgerRecord } from '../contract/record.ts';
import type { ExplainedAsk, ExplainedPolicy, Explanation, Revisited } from '../explain/explanation.ts';
import { cell, type Paint, printable } from './text.ts';

/** Lines of at most 120 characters. */
export function renderExplanation(explanation: Explanation, paint: Paint): readonly string[] {
  const { asks, further, notes } = explanation;
  return [
    headline(explanation, paint),
    '',
    ...fact('because', becauseLines(explanation)),
    ...fact('who', whoLines(explanation)),
    ...(explanation.request === null ? [] : fact('request', requestLines(explanation.request))),
    ...(explanation.revision === null ? [] : fact('revision', [String(explanation.revision)])),
    ...section(
      'Rights it needs',
      asks.map((ask) => askLine(ask, paint)),
      paint,
    ),
    ...section(
      'Rights that its body may need instead, or besides',
      further.map((ask) => askLine(ask, paint)),
      paint,
    ),
    ...section('Policies that decided', policyLines([...asks, ...further]), paint),
    ...noteLines(notes, paint),
  ];
}

/** What was decided then, and what is decided now. */
export function renderRevisited({ record, now, changed, notes }: Revisited, paint: Paint): readonly string[] {
  const verdict = changed ? paint('yellow', 'Decided otherwise now:') : paint('dim', 'The same answer now:');
  return [
    recordHeadline(record, paint),
    '',
    ...recordFacts(record),
    ...noteLines(notes, paint),
    ...(now === null ? [] : ['', verdict, '', ...renderExplanation(now, paint)]),
  ];
}

function recordHeadline({ decision, principal, action, method, path }: LedgerRecord, paint: Paint): string {
  const word = decision === 'deny' ? paint('red', 'was denied') : paint('green', 'was allowed');
  const what = action ?? [method, path].filter((part) => part !== null).join(' ');
  return `${paint('bold', word)}  ${paint('bold', cell(`${principal ?? 'nobody'}  ${what}`, 104).trimEnd())}`;
}

function recordFacts(record: LedgerRecord): readonly string[] {
  const known = (value: string | number | null) => String(value ?? '-');
  return [
    ...fact('because', [known(record.reason)]),
    ...fact('when', [`${record.time}  from ${known(record.source_ip)}`]),
    ...fact('request', [`${known(record.method)} ${known(record.path)}`, `answered ${known(record.status)}, ${record.path_taken ?? 'by the gateway'}`]),
    ...fact('on', [objectWords(record.resource_type, record.resource_id)]),
    ...(record.policies.length === 0 ? [] : fact('policies', [record.policies.join(', ')])),
    ...fact('revision', [known(record.revision)]),
  ];
}

function noteLines(notes: readonly string[], paint: Paint): readonly string[] {
  return notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrap(printable(note), '  ! ').map((line) => paint('yellow', line)))];
}

function headline({ decision, depends_on_body, principal, request, asks }: Explanation, paint: Paint): string {
  const word = decision === 'deny' ? paint('red', 'deny') : depends_on_body ? paint('yellow', 'depends') : paint('green', 'allow');
  const [only] = asks;
  const what = request === null ? `${only?.action ?? ''}` : `${request.method} ${request.path}`;
  return `${paint('bold', word)}  ${paint('bold', cell(`${principal.id}  ${what}`, 108).trimEnd())}`;
}

function becauseLines({ reason, detail, hint, status, decision }: Explanation): readonly string[] {
  const answer = status === null ? '' : `, answered ${status}`;
  return [`${reason}${answer}`, detail, ...(decision === 'deny' && hint !== '' ? [hint] : [])];
}

function whoLines({ principal }: Explanation): readonly string[] {
  const { kind, idp, hypothetical, roles } = principal;
  const first = hypothetical ? `anybody who has ${roles.length === 1 ? 'this role' : 'these roles'}` : `${kind}${idp === null ? '' : ` of ${idp}`}`;
  if (roles.length === 0) return [first, 'has no role: what is permitted to everybody (group baseline) is all there is'];
  return hypothetical
    ? [first]
    : [first, ...roles.map(({ role, scope, from }) => `role ${cell(role, 9)} ${scope === null ? '' : `on ${scope}; `}${from.join('; ')}`)];
}

function requestLines(request: NonNullable<Explanation['request']>): readonly string[] {
  const query = request.query === '' ? '' : `?${request.query}`;
  const way = {
    direct: 'straight through',
    mediated: 'body read',
    relay: 'a socket',
    egress: 'to a service or a host',
    own: 'by the gateway',
    deny: 'closed',
  } as const;
  const taken = request.path_taken;
  return [
    `${request.method} ${request.path}${query}`,
    ...(request.operation === null
      ? ['not in the catalogue']
      : [`${request.route ?? ''}  ${taken === null ? '' : `${taken} (${way[taken]})`}`, request.operation]),
  ];
}

const WIDTH = { decision: 5, action: 28, group: 9, on: 52, by: 16 } as const;

function askLine(ask: ExplainedAsk, paint: Paint): string {
  const by = ask.policies.length === 0 ? 'no policy' : ask.policies.map(({ id }) => id).join(', ');
  const facts = Object.entries(ask.facts)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? JSON.stringify(value) : value}`);
  const on = objectWords(ask.resource_type, ask.resource_id);
  const words = `${cell(ask.action, WIDTH.action)}  ${cell(ask.group ?? '-', WIDTH.group)}  ${cell(on, WIDTH.on)}`;
  const line = `${paint(ask.decision === 'allow' ? 'green' : 'red', cell(ask.decision, WIDTH.decision))}  ${words}  ${cell(by, WIDTH.by).trimEnd()}`;
  const below = [
    ...(facts.length === 0 ? [] : [`with ${facts.join(', ')}`]),
    ...(ask.attributes === null ? [] : [`it is ${attributeWords(ask.attributes)}`]),
    ...(ask.narrowed_to === null ? [] : [`narrowed to ${ask.narrowed_to.join(' or ')}`]),
  ];
  return [line, ...below.map((words) => `    ${' '.repeat(WIDTH.decision)}${paint('dim', cell(words, 104).trimEnd())}`)].join('\n');
}

function attributeWords(attributes: NonNullable<ExplainedAsk['attributes']>): string {
  const given = Object.entries(attributes).filter(([, value]) => value.length > 0);
  return given.map(([name, value]) => `${name}=${typeof value === 'string' ? value : value.join(',')}`).join(' ');
}

function objectWords(type: string | null, id: string | null): string {
  if (type === null) return '-';
  return id === null ? `${type} as a whole` : `${type} ${id}`;
}

function policyLines(asks: readonly ExplainedAsk[]): readonly string[] {
  const policies = new Map<string, ExplainedPolicy>(asks.flatMap((ask) => ask.policies.map((policy) => [policy.id, policy] as const)));
  return [...policies.values()].flatMap(({ id, file, description }) => [
    `${cell(id, WIDTH.action)} ${file ?? ''}`.trimEnd(),
    ...wrap(printable(description), '    ').map((line) => line.slice(2)),
  ]);
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => `  ${line}`)];
}

function fact(name: string, lines: readonly string[]): readonly string[] {
  return lines.flatMap((line, index) => wrap(printable(line), `  ${(index === 0 ? name : '').padEnd(9)} `));
}

const MOST = 120;

/** The first line starts with `lead`, the others with as much space. */
function wrap(text: string, lead: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && lead.length + line.length + 1 + word.length > MOST) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((part, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${part}`);
}
