// Everything that can be said about a set of own policies before it decides: read, parsed, held against the schema.
import { join } from 'node:path';
import type { DetailedError, ValidationError } from '@cedar-policy/cedar-wasm/nodejs';
import type { Problem } from '../../../config/problem.ts';
import { nearestName } from '../../../config/suggest.ts';
import { ACTION_GROUPS } from '../../../contract/operation.ts';
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import { BUILT_IN_ROLES } from '../../../contract/roles.ts';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import { validatePolicies } from '../engine.ts';
import { loadBuiltInPolicies, type PolicyTexts } from '../policies.ts';
import type { PolicySource } from '../sources.ts';
import { readPolicyDirectory } from './directory.ts';
import { comparedParameterValues, parameterValueProblem } from './parameter-values.ts';
import { cedarProblem, type OwnPolicy, parsePolicies } from './parse.ts';
import { placeOf } from './statements.ts';

/** A set that may decide. */
export interface OwnPolicies {
  readonly files: PolicyFiles;
  /** By @id. */
  readonly texts: PolicyTexts;
  readonly sources: ReadonlyMap<string, PolicySource>;
}

export interface CheckedPolicies {
  readonly policies: OwnPolicies;
  /** With any problem, Lictor must not use the set. */
  readonly problems: readonly Problem[];
  /** The set is usable, but a policy has no effect. */
  readonly warnings: readonly Problem[];
}

export const NO_POLICIES: OwnPolicies = { files: {}, texts: {}, sources: new Map() };

/** `directory` null: none is configured. Problems name files by their absolute path. */
export function loadOwnPolicies(actions: readonly ActionEntry[], directory: string | null): CheckedPolicies {
  if (directory === null) return { policies: NO_POLICIES, problems: [], warnings: [] };
  const { files, problems } = readPolicyDirectory(directory);
  const checked = checkPolicyFiles(actions, files);
  const here = (problem: Problem): Problem => (problem.file === undefined ? problem : { ...problem, file: join(directory, problem.file) });
  return { ...checked, problems: [...problems, ...checked.problems].map(here), warnings: checked.warnings.map(here) };
}

/** The same for given texts. Problems name files by the keys of `files`. */
export function checkPolicyFiles(actions: readonly ActionEntry[], files: PolicyFiles): CheckedPolicies {
  const parsed = parsePolicies(files, new Set(Object.keys(loadBuiltInPolicies())));
  const texts = Object.fromEntries(parsed.policies.map(({ id, statement }) => [id, statement.text]));
  const sources = new Map(
    parsed.policies.map(({ id, file, statement, description }) => [id, { file, line: placeOf(files[file] ?? '', statement, 0).line, description }]),
  );
  const { errors, warnings, other } = validatePolicies(actions, texts);
  const complain = (found: readonly ValidationError[]): readonly Problem[] =>
    parsed.policies.flatMap((policy) => complaints(policy, { found: found.map((each) => ({ ...each, error: betterHelp(each.error, actions) })), files }));
  const broken = new Set(errors.map(({ policyId }) => policyId));
  const sound = parsed.policies.filter(({ id }) => !broken.has(id));
  return {
    policies: { files, texts, sources },
    problems: inOrder([...parsed.problems, ...complain(errors), ...sound.flatMap((policy) => neverGiven(policy, files))]),
    warnings: [
      ...inOrder(sound.flatMap((policy) => [...impossible(policy, { found: warnings, files }), ...unknownRoles(policy, files)])),
      ...other.map(({ message }) => ({ path: 'policies', message, remedy: 'Write it in plain letters.' })),
    ],
  };
}

interface Found {
  readonly found: readonly ValidationError[];
  readonly files: PolicyFiles;
}

/** Cedar always proposes the nearest name. Lictor proposes it only if it is similar. */
function betterHelp(error: DetailedError, actions: readonly ActionEntry[]): DetailedError {
  const given = /unrecognized action `Action::"([^"]*)"`/.exec(error.message)?.[1];
  if (given === undefined) return isFarFetched(error) ? { ...error, help: null } : error;
  const near = nearestName(given, [...ACTION_GROUPS, ...actions.map(({ name }) => name)]);
  return { ...error, help: near === undefined ? null : `did you mean Action::"${near}"?` };
}

function isFarFetched({ message, help }: DetailedError): boolean {
  const given = /^(?:for policy `[^`]*`, )?[^`]*`([^`]+)`/.exec(message)?.[1];
  const proposed = /^did you mean `([^`]+)`/i.exec(help ?? '')?.[1];
  return given !== undefined && proposed !== undefined && nearestName(given, [proposed]) === undefined;
}

/** Reports a mistake once, although the validator reports it for every action of the policy. */
function complaints(policy: OwnPolicy, { found, files }: Found): readonly Problem[] {
  const located = { file: policy.file, whole: files[policy.file] ?? '', statement: policy.statement };
  const byPlace = new Map<string, DetailedError>();
  const mine = found.filter(({ policyId }) => policyId === policy.id).map(({ error }) => withoutAction(error));
  for (const error of mine.toSorted((a, b) => (a.message < b.message ? -1 : 1))) {
    const place = `${error.sourceLocations?.[0]?.start ?? 0}`;
    if (!byPlace.has(place)) byPlace.set(place, error);
  }
  return [...byPlace.values()].map((error) => cedarProblem(located, error, remedyFor(error.message)));
}

function withoutAction(error: DetailedError): DetailedError {
  return { ...error, message: error.message.replace(/ in context for Action::"[^"]*"/, ' in the context') };
}

const ENTITY_TYPES =
  'The principal is written as in Principal::"alice@local", and has roles, as in Role::"operator"; docs/reference/policies.md lists what a policy can see.';

function remedyFor(message: string): string {
  if (message.includes('unrecognized action')) return 'docs/reference/roles.md lists every action and group.';
  if (message.includes('unrecognized entity type')) return ENTITY_TYPES;
  if (message.includes('unable to guarantee safety')) return 'It may be absent: ask first, `context.facts has NAME && ...`.';
  return 'docs/reference/policies.md lists what a policy can see.';
}

/** Cedar's warning that the policy is false for every possible request. */
function impossible(policy: OwnPolicy, { found, files }: Found): readonly Problem[] {
  const error = found.find(({ policyId }) => policyId === policy.id)?.error;
  if (error === undefined) return [];
  const located = { file: policy.file, whole: files[policy.file] ?? '', statement: policy.statement };
  const problem = cedarProblem(located, error, 'Correct its scope and conditions, or remove it.');
  return [{ ...problem, message: `policy ${policy.id} can never match: ${problem.message}` }];
}

/** Values that no parameter can have: an allow-list of them permits nothing, and a deny-list forbids nothing. */
function neverGiven(policy: OwnPolicy, files: PolicyFiles): readonly Problem[] {
  return comparedParameterValues(policy.statement.text).flatMap((text) => {
    const remedy = parameterValueProblem(text);
    return remedy === undefined
      ? []
      : [placed(policy, files, { message: `policy ${policy.id} looks for ${JSON.stringify(text)}, and no parameter is written so`, remedy })];
  });
}

function placed(policy: OwnPolicy, files: PolicyFiles, { message, remedy }: Pick<Problem, 'message' | 'remedy'>): Problem {
  const located = { file: policy.file, whole: files[policy.file] ?? '', statement: policy.statement };
  const error: DetailedError = { message: '', help: null, code: null, url: null, severity: null, sourceLocations: [] };
  return { ...cedarProblem(located, error, remedy), message };
}

/** No principal can have an unknown role. */
function unknownRoles(policy: OwnPolicy, files: PolicyFiles): readonly Problem[] {
  const known: readonly string[] = BUILT_IN_ROLES;
  const named = [...policy.statement.text.matchAll(/\bRole::"([^"\\]*)"/g)].filter(([, role]) => role !== undefined && !known.includes(role));
  return named.map((match) => {
    const byte = Buffer.byteLength(policy.statement.text.slice(0, match.index));
    const located = { file: policy.file, whole: files[policy.file] ?? '', statement: policy.statement };
    const error: DetailedError = { message: '', help: null, code: null, url: null, severity: null, sourceLocations: [{ label: null, start: byte, end: byte }] };
    const message = `policy ${policy.id} names the role ${JSON.stringify(match[1])}, which no principal can have`;
    return { ...cedarProblem(located, error, `Roles: ${known.join(', ')}.`), message };
  });
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.file ?? '').localeCompare(b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
