// Own policies: splits each file into policies, parses each policy, and reads its annotations. Every problem has a place.
import { type DetailedError, type PolicyJson, policyToJson, templateToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Problem } from '../../../config/problem.ts';
import { nearestName } from '../../../config/suggest.ts';
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import { placeOf, type Statement, splitStatements } from './statements.ts';

export interface OwnPolicy {
  readonly id: string;
  readonly description: string;
  readonly file: string;
  readonly statement: Statement;
  readonly json: PolicyJson;
}

export interface ParsedPolicies {
  readonly policies: readonly OwnPolicy[];
  readonly problems: readonly Problem[];
}

const MOST_POLICIES = 1_000;
const ANNOTATIONS = ['id', 'description', 'approval'];
const ID = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/;

/** `taken`: the names of the built-in policies. */
export function parsePolicies(files: PolicyFiles, taken: ReadonlySet<string>): ParsedPolicies {
  const problems: Problem[] = [];
  const policies = new Map<string, OwnPolicy>();
  for (const [file, whole] of Object.entries(files).filter(([name]) => name.endsWith('.cedar'))) {
    for (const statement of splitStatements(whole)) {
      const parsed = parseOne({ file, whole, statement });
      if (!('id' in parsed)) problems.push(...parsed.problems);
      else {
        const clash = clashOf(parsed, { taken, policies, files });
        if (clash === undefined) policies.set(parsed.id, parsed);
        else problems.push(clash);
      }
    }
  }
  if (policies.size > MOST_POLICIES) problems.push(tooMany(policies.size));
  return { policies: [...policies.values()], problems };
}

interface Located {
  readonly file: string;
  readonly whole: string;
  readonly statement: Statement;
}

/** One of Cedar's own complaints, with its place in the file. */
export function cedarProblem({ file, whole, statement }: Located, error: DetailedError, remedy: string): Problem {
  const [location] = error.sourceLocations ?? [];
  const label = location?.label == null ? '' : `: ${location.label}`;
  const help = error.help == null || error.help === '' ? remedy : `${sentence(error.help)} ${remedy}`;
  const text = error.message.replace(/^for policy `[^`]*`, |^failed to parse policy from string: /, '');
  return { path: '', file, ...placeOf(whole, statement, location?.start ?? 0), message: `${text}${label}`, remedy: help };
}

function parseOne(located: Located): OwnPolicy | { readonly problems: readonly Problem[] } {
  const { file, statement } = located;
  const parsed = policyToJson(statement.text);
  if (parsed.type === 'failure') {
    const isTemplate = templateToJson(statement.text).type === 'success';
    const remedy = 'Correct the policy; docs/how-to/policies.md has examples.';
    const template = problemAt(located, 'a template (?principal, ?resource) is no policy', 'Write out whom and what it is for.');
    return { problems: isTemplate ? [template] : parsed.errors.slice(0, 1).map((error) => cedarProblem(located, error, remedy)) };
  }
  const annotations = parsed.json.annotations ?? {};
  const problems = annotationProblems(located, annotations);
  if (problems.length > 0) return { problems };
  return { id: annotations['id'] ?? '', description: annotations['description'] ?? '', file, statement, json: parsed.json };
}

function annotationProblems(located: Located, annotations: Readonly<Record<string, string>>): readonly Problem[] {
  const problems: Problem[] = [];
  const complain = (message: string, remedy: string, annotation?: string): void => void problems.push(problemAt(located, message, remedy, annotation));
  const id = annotations['id'];
  if (id === undefined) complain('the policy has no @id', 'Write @id("a-name") above it: decisions and records name policies by it.');
  else if (!ID.test(id)) complain(`@id(${JSON.stringify(id)}) is no name`, 'Use letters, digits, dots, hyphens and underscores, at most 64.', 'id');
  if (annotations['approval'] !== undefined) {
    complain(
      '@approval is not built yet: approvals',
      'Remove the policy or its @approval; this version of lictor refuses what it would have to ignore.',
      'approval',
    );
  }
  for (const name of Object.keys(annotations).filter((known) => !ANNOTATIONS.includes(known))) {
    const near = nearestName(name, ANNOTATIONS);
    complain(`@${name} is no annotation of a policy`, `${near === undefined ? '' : `Did you mean @${near}? `}Known: @id, @description, @approval.`, name);
  }
  return problems;
}

interface Known {
  readonly taken: ReadonlySet<string>;
  readonly policies: ReadonlyMap<string, OwnPolicy>;
  readonly files: PolicyFiles;
}

function clashOf(policy: OwnPolicy, { taken, policies, files }: Known): Problem | undefined {
  const located = { file: policy.file, whole: files[policy.file] ?? '', statement: policy.statement };
  const named = `@id("${policy.id}")`;
  if (taken.has(policy.id))
    return problemAt(located, `${named} is the name of a built-in policy`, 'Choose another name; a forbid takes rights of it away.', 'id');
  const other = policies.get(policy.id);
  if (other === undefined) return undefined;
  const { line } = placeOf(files[other.file] ?? '', other.statement, 0);
  return problemAt(located, `${named} stands in ${other.file}:${line} too`, 'Give each policy a name of its own.', 'id');
}

/** At the annotation where one is named and found, else where the policy begins. */
function problemAt({ file, whole, statement }: Located, message: string, remedy: string, annotation?: string): Problem {
  const found = annotation === undefined ? -1 : statement.text.search(new RegExp(`@\\s*${annotation}\\b`));
  const byte = found < 0 ? 0 : Buffer.byteLength(statement.text.slice(0, found));
  return { path: '', file, ...placeOf(whole, statement, byte), message, remedy };
}

function tooMany(count: number): Problem {
  return {
    path: 'policies',
    message: `there are ${count} policies; at most ${MOST_POLICIES} are taken`,
    remedy: 'Merge some: `principal in [...]`, `action in [...]`.',
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
