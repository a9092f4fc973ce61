// A scope in Prefect's own filter language, for deployments, flow runs and the objects in flow runs.
//
// The language has no patterns, so Lictor resolves them to names and ids before. covers.ts decides the same for a single object.
import type { Scope } from '../../contract/scope.ts';
import { ALL_TAGS, type Criteria } from './conjoin.ts';

/** The filters of one request, by their key in its body. Prefect ANDs them. */
export type Part = Readonly<Partial<Record<'flows' | 'flow_runs' | 'deployments' | 'work_pools', Criteria>>>;

/** A scope with its patterns resolved to names and ids; null: the scope does not have the key. */
export interface ResolvedScope {
  readonly tags: readonly string[] | null;
  readonly workPools: readonly string[] | null;
  /** Ids. */
  readonly deployments: readonly string[] | null;
  /** Whole names. */
  readonly flows: readonly string[] | null;
  /** Ids of the runs or deployments that the principal created: Prefect has no filter by labels. */
  readonly own: readonly string[] | null;
}

/** True when a scope covers runs and deployments. */
export function isFilterable(scope: Scope): boolean {
  return scope.own || [scope.tags, scope.workPools, scope.deployments, scope.flows].some((list) => list !== null);
}

export function runPart({ tags, workPools, deployments, flows, own }: ResolvedScope): Part {
  return {
    ...((tags !== null || own !== null) && { flow_runs: { ...(tags !== null && { tags }), ...(own !== null && { id: own }) } }),
    ...(workPools !== null && { work_pools: { name: workPools } }),
    ...(deployments !== null && { deployments: { id: deployments } }),
    ...(flows !== null && { flows: { name: flows } }),
  };
}

export function deploymentPart({ tags, workPools, deployments, flows, own }: ResolvedScope): Part {
  const ids = deployments === null || own === null ? (deployments ?? own) : deployments.filter((id) => own.includes(id));
  return {
    ...((tags !== null || ids !== null) && { deployments: { ...(tags !== null && { tags }), ...(ids !== null && { id: ids }) } }),
    ...(workPools !== null && { work_pools: { name: workPools } }),
    ...(flows !== null && { flows: { name: flows } }),
  };
}

/** Objects for which both parts hold: the parts of the result are ORed. None: no object fits both. */
export function bothParts(left: Part, right: Part): readonly Part[] {
  let joined: readonly Part[] = [left];
  for (const { key, name, values } of testsOf(right)) {
    joined = joined.flatMap((part) => bothTests(part[key] ?? {}, name, values).map((criteria) => ({ ...part, [key]: criteria })));
  }
  return joined;
}

/** A field has one value, so the conjunction is the intersection of both lists. An object has several tags. */
function bothTests(criteria: Criteria, name: string, values: readonly string[]): readonly Criteria[] {
  const own = criteria[name];
  if (own === undefined) return [{ ...criteria, [name]: values }];
  if (name === ALL_TAGS) return [{ ...criteria, [name]: [...new Set([...own, ...values])] }];
  const common = own.filter((value) => values.includes(value));
  const isSame = name !== 'tags' || common.length === own.length || common.length === values.length;
  const both = common.length === 0 ? [] : [{ ...criteria, [name]: common }];
  return isSame ? both : [...both, ...tagPairs(criteria, values)];
}

/** The objects that have a tag of each list, but none that is in both. */
function tagPairs({ tags = [], ...rest }: Criteria, values: readonly string[]): readonly Criteria[] {
  const others = values.filter((tag) => !tags.includes(tag));
  const lefts = tags.filter((tag) => !values.includes(tag));
  return lefts.flatMap((left) => others.map((right) => ({ ...rest, [ALL_TAGS]: [...new Set([...(rest[ALL_TAGS] ?? []), left, right])] })));
}

/** Parts are ORed. Two parts that differ in one list become one part with both lists. */
export function mergeParts(parts: readonly Part[]): readonly Part[] {
  const merged: Part[] = [];
  for (const part of parts) {
    const at = merged.findIndex((other) => differences(other, part).length <= 1);
    const other = merged[at];
    if (other === undefined) merged.push(part);
    else merged[at] = united(other, part);
  }
  return merged.length < parts.length ? mergeParts(merged) : merged;
}

interface Test {
  readonly key: keyof Part;
  readonly name: string;
  readonly values: readonly string[];
}

function testsOf(part: Part): readonly Test[] {
  return KEYS.flatMap((key) => Object.entries(part[key] ?? {}).map(([name, values]) => ({ key, name, values })));
}

const KEYS: readonly (keyof Part)[] = ['flows', 'flow_runs', 'deployments', 'work_pools'];

/** The tests of `right` that differ in `left`; all of them twice when the two parts have different tests. */
function differences(left: Part, right: Part): readonly Test[] {
  const [lefts, rights] = [testsOf(left), testsOf(right)];
  const same = lefts.length === rights.length && rights.every(({ key, name }) => left[key]?.[name] !== undefined);
  if (!same) return [...rights, ...rights];
  const different = rights.filter(({ key, name, values }) => !sameSet(left[key]?.[name] ?? [], values));
  return different.some(({ name }) => name === ALL_TAGS) ? [...rights, ...rights] : different;
}

function united(left: Part, right: Part): Part {
  const [difference] = differences(left, right);
  if (difference === undefined) return left;
  const { key, name, values } = difference;
  return { ...left, [key]: { ...left[key], [name]: [...new Set([...(left[key]?.[name] ?? []), ...values])] } };
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.every((value) => right.includes(value)) && right.every((value) => left.includes(value));
}
