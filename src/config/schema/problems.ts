// zod's issues -> problems with a remedy.
import type { z } from 'zod';
import type { Keys, Report } from '../report.ts';
import { nearestName } from '../suggest.ts';
import { describedAt, knownKeys } from './keys.ts';

type Issue = z.core.$ZodIssue;

const SHAPES = 'The shapes are in lictor.schema.json; lictor.yaml in the repository is an example.';

interface Place {
  readonly keys: Keys;
  /** The value at a place of the file; undefined: none. */
  readonly valueAt: (keys: Keys) => unknown;
  readonly schema: unknown;
  readonly report: Report;
}

/** `schema`: the JSON Schema of the file. */
export function reportIssues(issues: readonly Issue[], place: Omit<Place, 'keys'>): void {
  for (const issue of issues) reportIssue(issue, { ...place, keys: issue.path });
}

function reportIssue(issue: Issue, place: Place): void {
  const { keys, valueAt, report } = place;
  if (issue.code === 'custom' && typeof issue.params?.['remedy'] === 'string') {
    report(keys, issue.message, issue.params['remedy']);
  } else if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(key, place);
  } else if (issue.code === 'invalid_union') {
    reportUnion(issue, place);
  } else if (issue.code === 'invalid_value') {
    reportChoice(issue.values.map(String), place);
  } else if (valueAt(keys) === undefined && issue.code === 'invalid_type') {
    report(keys, 'is missing', `Add it. ${SHAPES}`);
  } else if (issue.code === 'invalid_format' || issue.message.startsWith('Write ')) {
    report(keys, 'has the wrong form', sentence(issue.message));
  } else {
    report(keys, plain(issue.message), remedyOf(place));
  }
}

function reportUnknownKey(key: string, { keys, schema, report }: Place): void {
  const known = knownKeys(schema, keys);
  const near = nearestName(key, known);
  report([...keys, key], 'unknown key', near === undefined ? `Remove it. Known here: ${known.join(', ')}.` : `Did you mean ${near}?`);
}

function reportChoice(values: readonly string[], { keys, valueAt, report }: Place): void {
  const given = valueAt(keys);
  const near = typeof given === 'string' ? nearestName(given, values) : undefined;
  report(
    keys,
    given === undefined ? 'is missing' : `must be one of: ${values.join(', ')}`,
    near === undefined ? `Take one of: ${values.join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** Reports the issues of the branch that the author meant: the one that accepts the type of the value. */
function reportUnion(issue: Extract<Issue, { code: 'invalid_union' }>, place: Place): void {
  const { keys, valueAt, report } = place;
  const given = valueAt(keys);
  const notMeant = ({ path, code }: Issue): boolean =>
    path.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && typeof given !== 'string'));
  const meant = issue.errors.find((errors) => errors.length > 0 && !errors.some(notMeant));
  if (meant !== undefined) {
    for (const inner of meant) reportIssue(inner, { ...place, keys: [...keys, ...inner.path] });
  } else if (issue.discriminator !== undefined) {
    report(keys, given === undefined ? 'is missing' : 'is not a known type', `Take one of: ${'options' in issue ? issue.options?.join(', ') : ''}.`);
  } else {
    report(keys, given === undefined ? 'is missing' : 'has none of the accepted forms', remedyOf(place));
  }
}

/** The description of a key names the accepted forms. */
function remedyOf({ schema, keys }: Place): string {
  return describedAt(schema, keys) ?? SHAPES;
}

function plain(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^expected/, 'must be:');
}

function sentence(message: string): string {
  const text = message.startsWith('must') ? `It ${message}` : message;
  return text.endsWith('.') ? text : `${text}.`;
}
