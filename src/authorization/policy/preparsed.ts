// Policies parsed once in Cedar, as the subsets that questions need.
import { createHash } from 'node:crypto';
import { type CheckParseAnswer, type EntityJson, type PolicyJson, preparsePolicySet } from '@cedar-policy/cedar-wasm/nodejs';
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { invalid, type PolicyTexts } from './policies.ts';
import { actionsLookedInto, type Reads, readsOfEach } from './reads.ts';
import { type Asked, createRelevance, withoutScope } from './relevant.ts';
import { ACTION } from './schema.ts';
import type { ToTree } from './trees.ts';

export interface Parsed {
  /** A set with every policy that may apply to the question. */
  readonly setFor: (asked: Asked) => PreparsedSet;
  /** This action, and those that policies refer to, as entities in their groups. */
  readonly actionsFor: (name: string) => readonly EntityJson[];
}

export interface PreparsedSet {
  readonly name: string;
  readonly reads: Reads;
}

/** Policies in all subsets together. Beyond that Lictor uses the whole set: the wasm never frees a policy, and each takes about 5 KB. */
const MOST_CACHED = 10_000;
/** Kinds of questions whose choice is remembered. */
const MOST_KEYS = 4_096;

/** The wasm caches each parsed set by name and never frees it. The name is a digest, so that the same text is cached once. Yields between its long steps. */
export function* preparse(policies: PolicyTexts, actions: readonly ActionEntry[], toTree: ToTree): Generator<undefined, Parsed> {
  const parse = (texts: Readonly<Record<string, string | PolicyJson>>): string => {
    const id = digest(texts);
    assertParsed(preparsePolicySet(id, { staticPolicies: { ...texts } }));
    return id;
  };
  const readsOf = readsOfEach(policies, toTree);
  const whole: PreparsedSet = { name: parse(policies), reads: readsOf(Object.keys(policies)) };
  yield;
  const shortened = new Map(Object.entries(policies).map(([id, text]) => [id, withoutScope(text, toTree)]));
  // Every later subset consists of these, so it parses.
  parse(Object.fromEntries(shortened));
  yield;
  const relevance = createRelevance(policies, actions, toTree);
  const sets = new Map<string, PreparsedSet>();
  const byQuestion = new LRUCache<string, PreparsedSet>(atMostEntries(MOST_KEYS));
  let cachedIds = 0;
  const make = (ids: readonly string[]): PreparsedSet => {
    const key = ids.join('\n');
    const known = sets.get(key);
    if (known !== undefined || cachedIds + ids.length > MOST_CACHED) return known ?? whole;
    cachedIds += ids.length;
    const set = { name: parse(Object.fromEntries(ids.map((id) => [id, shortened.get(id) ?? '']))), reads: readsOf(ids) };
    sets.set(key, set);
    return set;
  };
  const setFor = (asked: Asked): PreparsedSet => {
    const key = relevance.keyOf(asked);
    const set = byQuestion.get(key) ?? make(relevance.idsFor(asked));
    byQuestion.set(key, set);
    return set;
  };
  const entities = new Map(actions.map(({ name, group }) => [name, actionEntity(name, [{ type: ACTION, id: group }])]));
  const entityOf = (name: string): EntityJson => entities.get(name) ?? actionEntity(name, []);
  const lookedInto = [...new Set(Object.values(policies).flatMap((text) => actionsLookedInto(text, toTree)))];
  const actionsFor = (name: string): readonly EntityJson[] => [entityOf(name), ...lookedInto.filter((other) => other !== name).map(entityOf)];
  return { setFor, actionsFor };
}

function actionEntity(id: string, parents: EntityJson['parents']): EntityJson {
  return { uid: { type: ACTION, id }, attrs: {}, parents };
}

function assertParsed(answer: CheckParseAnswer): void {
  if (answer.type === 'failure') throw invalid(answer.errors.map(({ message }) => message).join('; '));
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
