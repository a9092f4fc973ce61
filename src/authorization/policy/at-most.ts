// The upper bound of the policies, before Lictor reads the body and the object: it denies only what they deny in every case.
import { policyToJson, policyToText } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyTexts } from './policies.ts';
import { readsAttributes, readsOfEach } from './reads.ts';
import type { ToTree } from './trees.ts';

/** Removes the conditions of permits that read facts or attributes, and drops such forbids. The same set when no policy does. */
export function atMostPolicies(policies: PolicyTexts, toTree: ToTree = policyToJson): PolicyTexts {
  const readsOf = readsOfEach(policies, toTree);
  const isOpen = ([id, text]: readonly [string, string]): boolean => readsOf([id]).facts || readsAttributes(text, toTree);
  const entries = Object.entries(policies);
  if (!entries.some(isOpen)) return policies;
  return Object.fromEntries(entries.flatMap(([id, text]) => (isOpen([id, text]) ? unconditional(id, text, toTree) : [[id, text]])));
}

/** An unreadable policy stays unchanged. */
function unconditional(id: string, text: string, toTree: ToTree): readonly (readonly [string, string])[] {
  const parsed = toTree(text);
  if (parsed.type === 'failure') return [[id, text]];
  if (parsed.json.effect === 'forbid') return [];
  const permit = policyToText({ ...parsed.json, conditions: [] });
  return [[id, permit.type === 'success' ? permit.text : text]];
}
