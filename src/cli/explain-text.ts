// An explanation as text: first the decision, then principal, action, resource, right and policy.

import type { ExplainedAsk, ExplainedPolicy, Explanation, Revisited } from '../authorization/explain/explanation.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { columnWidths, type Look, rowLines, wrapWords } from './table.ts';
import { cell, printable } from './text.ts';

export function renderExplanation(explanation: Explanation, look: Look): readonly string[] {
  const { asks, further, notes } = explanation;
  const facts: Facts = [
    ['because', becauseLines(explanation)],
    ['who', whoLines(explanation)],
    ['request', explanation.request === null ? [] : requestLines(explanation.request)],
    ['revision', explanation.revision === null ? [] : [String(explanation.revision)]],
  ];
  return [
    ...headline(explanation, look),
    '',
    ...factLines(facts, look),
    ...section('Rights it needs', askLines(asks, look), look),
    ...section('Rights that its body may need instead, or besides', askLines(further, look), look),
    ...section('Policies that decided', policyLines([...asks, ...further], look), look),
    ...noteLines(notes, look),
  ];
}

/** The recorded decision and the current one. */
export function renderRevisited({ record, now, changed, notes }: Revisited, look: Look): readonly string[] {
  const { paint } = look;
  const verdict = changed ? paint('yellow', 'Decided otherwise now:') : paint('dim', 'The same answer now:');
  return [
    ...recordHeadline(record, look),
    '',
    ...factLines(recordFacts(record, changed ? null : now), look),
    ...noteLines(notes, look),
    ...(now === null ? [] : ['', verdict, '', ...renderExplanation(now, look)]),
  ];
}

export function renderRemedies(remedies: readonly string[], look: Look): readonly string[] {
  const lines = remedies.flatMap((sentence) => hanging(sentence, '- ', look.width - 2));
  return section('What would change the answer', lines, look);
}

function recordHeadline({ decision, principal, action, method, path }: LedgerRecord, look: Look): readonly string[] {
  const what = action ?? [method, path].filter((part) => part !== null).join(' ');
  const text = `${principal ?? 'nobody'}  ${what}`;
  return decision === 'deny' ? firstLines('was denied', 'red', text, look) : firstLines('was allowed', 'green', text, look);
}

function firstLines(word: string, style: 'red' | 'green' | 'yellow', text: string, { paint, width }: Look): readonly string[] {
  const [first = '', ...more] = wrapWords(`${word}  ${printable(text)}`, width);
  return [`${paint('bold', paint(style, word))}${paint('bold', first.slice(word.length))}`, ...more.map((line) => paint('bold', `  ${line}`))];
}

/** `now`: the same answer decided again; its first sentence says why in words. */
function recordFacts(record: LedgerRecord, now: Explanation | null): Facts {
  const known = (value: string | number | null) => String(value ?? '-');
  return [
    ['because', [...(now === null || now.reason !== record.reason ? [] : [now.detail]), known(record.reason)]],
    ['when', [`${record.time}  from ${known(record.source_ip)}`]],
    ['request', [`${known(record.method)} ${known(record.path)}`, `answered ${known(record.status)}, ${record.path_taken ?? 'by the gateway'}`]],
    ['on', [objectWords(record.resource_type, record.resource_id)]],
    ['policies', record.policies.length === 0 ? [] : [record.policies.join(', ')]],
    ['revision', [known(record.revision)]],
  ];
}

function noteLines(notes: readonly string[], { paint, width }: Look): readonly string[] {
  return notes.length === 0 ? [] : ['', ...notes.flatMap((note) => hanging(note, '  ! ', width).map((line) => paint('yellow', line)))];
}

function headline({ decision, depends_on_body, principal, request, asks }: Explanation, look: Look): readonly string[] {
  const [only] = asks;
  const text = `${principal.id}  ${request === null ? `${only?.action ?? ''}` : `${request.method} ${request.path}`}`;
  if (decision === 'deny') return firstLines('deny', 'red', text, look);
  return depends_on_body ? firstLines('depends', 'yellow', text, look) : firstLines('allow', 'green', text, look);
}

function becauseLines({ reason, detail, hint, status, decision }: Explanation): readonly string[] {
  const answer = status === null ? '' : `, answered ${status}`;
  return [detail, ...(decision === 'deny' && hint !== '' ? [hint] : []), `${reason}${answer}`];
}

function whoLines({ principal }: Explanation): readonly string[] {
  const { kind, idp, hypothetical, roles } = principal;
  const ofRole = hypothetical && idp === null;
  const first = ofRole ? `anybody who has ${roles.length === 1 ? 'this role' : 'these roles'}` : `${kind}${idp === null ? '' : ` of ${idp}`}`;
  if (roles.length === 0) return [first, 'has no role: what is permitted to everybody (group baseline) is all there is'];
  return ofRole
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

function askLines(asks: readonly ExplainedAsk[], { paint, width }: Look): readonly string[] {
  const rows = asks.map(({ decision, action, group, resource_type, resource_id, policies }) =>
    [decision, action, group ?? '-', objectWords(resource_type, resource_id), policies.map(({ id }) => id).join(', ') || 'no policy'].map(printable),
  );
  const widths = columnWidths(rows, width - 2);
  return rows.flatMap((row, index) => {
    const [ask, [first = '', ...more]] = [asks[index], rowLines(row, widths)];
    if (ask === undefined) return [];
    const painted = first.replace(/^\S+/, (word) => paint(ask.decision === 'allow' ? 'green' : 'red', word));
    return [painted, ...more, ...detailsOf(ask).flatMap((words) => hanging(words, ' '.repeat(9), width - 2).map((line) => paint('dim', line)))];
  });
}

function detailsOf({ facts, attributes, narrowed_to }: ExplainedAsk): readonly string[] {
  const said = Object.entries(facts)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? JSON.stringify(value) : value}`);
  return [
    ...(said.length === 0 ? [] : [`with ${said.join(', ')}`]),
    ...(attributes === null ? [] : [`it is ${attributeWords(attributes)}`]),
    ...(narrowed_to === null ? [] : [`narrowed to ${narrowed_to.join(' or ')}`]),
  ];
}

function attributeWords(attributes: NonNullable<ExplainedAsk['attributes']>): string {
  const given = Object.entries(attributes).filter(([, value]) => value.length > 0);
  return given.map(([name, value]) => `${name}=${typeof value === 'string' ? value : value.join(',')}`).join(' ');
}

function objectWords(type: string | null, id: string | null): string {
  if (type === null) return '-';
  return id === null ? `${type} as a whole` : `${type} ${id}`;
}

function policyLines(asks: readonly ExplainedAsk[], { width }: Look): readonly string[] {
  const policies = new Map<string, ExplainedPolicy>(asks.flatMap((ask) => ask.policies.map((policy) => [policy.id, policy] as const)));
  return [...policies.values()].flatMap(({ id, file, line, description }) => [
    ...hanging(`${cell(id, 28)} ${file === null ? '' : `${file}:${line}`}`.trimEnd(), '', width - 2),
    ...hanging(description, '  ', width - 2),
  ]);
}

function section(title: string, lines: readonly string[], { paint }: Look): readonly string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => `  ${line}`)];
}

type Facts = readonly (readonly [name: string, lines: readonly string[]])[];

function factLines(facts: Facts, { width }: Look): readonly string[] {
  return facts.flatMap(([name, lines]) => lines.flatMap((line, index) => hanging(line, `  ${(index === 0 ? name : '').padEnd(9)} `, width)));
}

/** The first line starts with `lead`, the others with spaces of the same width. */
function hanging(text: string, lead: string, width: number): readonly string[] {
  return wrapWords(printable(text), width - lead.length).map((line, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${line}`);
}
