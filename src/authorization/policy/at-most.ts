// The policies as they may turn out before the body is read and the object is looked at: what nobody could be allowed then stays refused.
import { policyToJson, policyToText } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyTexts } from './policies.ts';
import { readsAttributes, readsOfEach } from './reads.ts';
import type { ToTree } from './trees.ts';

/** A permit that asks for facts or for what the object is permits; a forbid that does so is not there. The same set when none does. */
export function atMostPolicies(policies: PolicyTexts, toTree: ToTree = policyToJson): PolicyTexts {
  const readsOf = readsOfEach(policies, toTree);
  const isOpen = ([id, text]: readonly [string, string]): boolean => readsOf([id]).facts || readsAttributes(text, toTree);
  const entries = Object.entries(policies);
  if (!entries.some(isOpen)) return policies;
  return Object.fromEntries(entries.flatMap(([id, text]) => (isOpen([id, text]) ? unconditional(id, text, toTree) : [[id, text]])));
}

/** What cannot be read is left as it is. */
function unconditional(id: string, text: string, toTree: ToTree): readonly (readonly [string, string])[] {
  const parsed = toTree(text);
  if (parsed.type === 'failure') return [[id, text]];
  if (parsed.json.effect === 'forbid') return [];
  const permit = policyToText({ ...parsed.json, conditions: [] });
  return [[id, permit.type === 'success' ? permit.text : text]];
}
