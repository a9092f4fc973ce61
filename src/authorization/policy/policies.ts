// Policy texts from files, named by their @id.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { LictorError } from '../../contract/error.ts';

/** Policy text by the policy's own name: decisions name policies by it. */
export type PolicyTexts = Readonly<Record<string, string>>;

/** The built-in roles, from `roles/*.cedar`. The first call reads and parses the files; throws LictorError `policies-invalid`. */
export function loadBuiltInPolicies(): PolicyTexts {
  builtIn ??= Object.freeze(readBuiltInPolicies());
  return builtIn;
}

/** Cached: the files belong to this program and do not change while it runs, and Cedar takes long to parse them. */
let builtIn: PolicyTexts | undefined;

function readBuiltInPolicies(): PolicyTexts {
  const directory = fileURLToPath(new URL('./roles/', import.meta.url));
  const files = readdirSync(directory).filter((name) => name.endsWith('.cedar'));
  const named = files.sort().flatMap((name) => namePolicies(readFileSync(`${directory}${name}`, 'utf8'), name));
  return uniqueByName(named);
}

/** The policies of one text. Each needs an `@id`. Throws LictorError `policies-invalid`, naming `source`. */
export function namePolicies(text: string, source: string): readonly (readonly [name: string, text: string])[] {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') throw invalid(`${source}: ${parts.errors.map((error) => error.message).join('; ')}`);
  if (parts.policy_templates.length > 0) throw invalid(`${source}: templates are not used here; write a policy`);
  return parts.policies.map((policy) => [idOf(policy, source), policy]);
}

export function uniqueByName(named: readonly (readonly [string, string])[]): PolicyTexts {
  const texts: Record<string, string> = {};
  for (const [name, text] of named) {
    if (Object.hasOwn(texts, name)) throw invalid(`two policies have @id("${name}")`);
    texts[name] = text;
  }
  return texts;
}

function idOf(policy: string, source: string): string {
  const parsed = policyToJson(policy);
  const id = parsed.type === 'success' ? parsed.json.annotations?.['id'] : undefined;
  if (!id) throw invalid(`${source}: every policy needs an @id("name")`);
  return id;
}

export function invalid(detail: string): LictorError {
  return new LictorError('policies-invalid', 'The policies cannot be used.', { detail });
}
