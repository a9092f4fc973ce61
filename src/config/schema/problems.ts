// zod's issues -> problems with a remedy.
import type { z } from 'zod';
import type { Keys, Report } from '../report.ts';
import { nearestName } from '../suggest.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { knownKeys } from './known-keys.ts';

type Issue = z.core.$ZodIssue;

const SHAPES = 'The shapes are in lictor.schema.json; lictor.yaml in the repository is an example.';

/** `valueAt` answers what stands at a place of the file: undefined when nothing does. */
export function reportIssues(issues: readonly Issue[], valueAt: (keys: Keys) => unknown, report: Report): void {
  for (const issue of issues) reportIssue(issue, issue.path, valueAt, report);
}

function reportIssue(issue: Issue, keys: Keys, valueAt: (keys: Keys) => unknown, report: Report): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(keys, key, report);
  } else if (issue.code === 'invalid_union') {
    reportUnion(issue, keys, valueAt, report);
  } else if (issue.code === 'invalid_value') {
    reportChoice(issue.values.map(String), keys, valueAt, report);
  } else if (valueAt(keys) === undefined && issue.code === 'invalid_type') {
    report(keys, 'is missing', `Add it. ${SHAPES}`);
  } else if (issue.code === 'invalid_format' || issue.message.startsWith('Write ')) {
    report(keys, 'has the wrong form', sentence(issue.message));
  } else {
    report(keys, plain(issue.message), remedyOf(keys));
  }
}

function reportUnknownKey(keys: Keys, key: string, report: Report): void {
  const known = knownKeys(keys);
  const near = nearestName(key, known);
  report([...keys, key], 'unknown key', near === undefined ? `Remove it. Known here: ${known.join(', ')}.` : `Did you mean ${near}?`);
}

function reportChoice(values: readonly string[], keys: Keys, valueAt: (keys: Keys) => unknown, report: Report): void {
  const given = valueAt(keys);
  const near = typeof given === 'string' ? nearestName(given, values) : undefined;
  report(
    keys,
    given === undefined ? 'is missing' : `must be one of: ${values.join(', ')}`,
    near === undefined ? `Take one of: ${values.join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** The branch that the value was meant for is the one whose complaints are not about its type as a whole. */
function reportUnion(issue: Extract<Issue, { code: 'invalid_union' }>, keys: Keys, valueAt: (keys: Keys) => unknown, report: Report): void {
  const given = valueAt(keys);
  const notMeant = ({ path, code }: Issue): boolean =>
    path.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && typeof given !== 'string'));
  const meant = issue.errors.find((errors) => errors.length > 0 && !errors.some(notMeant));
  if (meant !== undefined) {
    for (const inner of meant) reportIssue(inner, [...keys, ...inner.path], valueAt, report);
  } else if (issue.discriminator !== undefined) {
    report(keys, given === undefined ? 'is missing' : 'is not a known type', 'Take accounts, oidc, saml, jwt, aws-iam or mtls.');
  } else {
    report(keys, given === undefined ? 'is missing' : 'has none of the accepted forms', remedyOf(keys));
  }
}

/** What the key is for names the forms that it takes. */
function remedyOf(keys: Keys): string {
  const place = keys
    .map((key) => (typeof key === 'number' ? '[]' : `.${String(key)}`))
    .join('')
    .slice(1);
  return DESCRIPTIONS[place] ?? SHAPES;
}

function plain(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^expected/, 'must be:');
}

function sentence(message: string): string {
  const text = message.startsWith('must') ? `It ${message}` : message;
  return text.endsWith('.') ? text : `${text}.`;
}
