// Makes the attributes of the object, and of a run that calls, unknown for a partial decision: no record has them.
//
// Without an entity, Cedar answers `resource has tags` with false, and a policy on tags would seem to change nothing.
import { isDeepStrictEqual } from 'node:util';
import { policyToJson, policyToText } from '@cedar-policy/cedar-wasm/nodejs';
import { invalid, type PolicyTexts } from './policies.ts';
import { ACCESS, accessOf, isObjectOfPrefect } from './reads.ts';

/** The member of the context that stands for the object. */
export const OBJECT = 'attributes of the object';
/** The member of the context that stands for the attributes of a calling run. */
export const OF_RUN = 'attributes of the run';

/** Policies that read no such attributes stay unchanged. `resource == Flow::"f"` does too: records have the id. */
export function withOpenObject(policies: PolicyTexts): PolicyTexts {
  return Object.fromEntries(Object.entries(policies).map(([id, text]) => [id, opened(text)]));
}

function opened(text: string): string {
  const parsed = policyToJson(text);
  if (parsed.type === 'failure') throw invalid(parsed.errors.map(({ message }) => message).join('; '));
  const conditions = parsed.json.conditions.map((condition) => ({ ...condition, body: replaced(condition.body, false) }));
  if (isDeepStrictEqual(conditions, parsed.json.conditions)) return text;
  const written = policyToText({ ...parsed.json, conditions });
  if (written.type === 'failure') throw invalid(written.errors.map(({ message }) => message).join('; '));
  return written.text;
}

/** `asked`: the node stands left of an access such as `.tags`. */
function replaced<T>(node: T, asked: boolean): T;
function replaced(node: unknown, asked: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => replaced(item, asked));
  if (typeof node !== 'object' || node === null) return node;
  const ofPrincipal = openedPrincipal(node);
  if (ofPrincipal !== undefined) return ofPrincipal;
  if ('Var' in node && node.Var === 'resource') return asked ? UNKNOWN_OBJECT : node;
  if ('__entity' in node) return node;
  if ('Value' in node) return asked && isObjectValue(node.Value) ? UNKNOWN_OBJECT : node;
  return Object.fromEntries(Object.entries(node).map(([name, part]) => [name, replaced(part, asked || ACCESS.includes(name))]));
}

/** `principal.tags`. Every principal of a record has its kind and its provider. */
function openedPrincipal(node: object): object | undefined {
  const access = accessOf(node);
  if (access === undefined || !('Var' in access.left) || access.left.Var !== 'principal' || ['kind', 'idp'].includes(access.attr)) return undefined;
  return { [access.whole ? '.' : 'has']: { left: UNKNOWN_RUN, attr: access.attr } };
}

const UNKNOWN_RUN = { '.': { left: { Var: 'context' }, attr: OF_RUN } };
const UNKNOWN_OBJECT = { '.': { left: { Var: 'context' }, attr: OBJECT } };

/** `Flow::"f".tags` reads an object too. */
function isObjectValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '__entity' in value && isObjectOfPrefect(value.__entity);
}
