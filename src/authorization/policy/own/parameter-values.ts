// Texts that policies and vectors compare with `context.facts.parameter_values`: a text that never occurs there would make no rule.
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { canonicalText } from '../../../contract/json/canonical.ts';
import { parseStrict } from '../../../contract/json/strict-json.ts';
import { UNKNOWN } from '../facts.ts';

/** The remedy; undefined for a name, `=`, and a value in canonical JSON or `?`. */
export function parameterValueProblem(text: string): string | undefined {
  const at = text.indexOf('=');
  if (at < 1) return FORM;
  const value = text.slice(at + 1);
  if (value === UNKNOWN) return undefined;
  const parsed = parseStrict(Buffer.from(value, 'utf8'));
  if (!parsed.ok) return FORM;
  const canonical = canonicalText(parsed.tree);
  if (canonical === undefined) return 'A whole number beyond 2^53 is never known: its text is NAME=?.';
  return canonical === value ? undefined : `Write ${text.slice(0, at)}=${canonical}.`;
}

const FORM = 'Write NAME=VALUE, the value in JSON: region="eu", n=1.';

/** Every text that the policy compares with them. Empty for a policy that does not parse. */
export function comparedParameterValues(policy: string): readonly string[] {
  const parsed = policyToJson(policy);
  return parsed.type === 'failure' ? [] : parsed.json.conditions.flatMap(({ body }) => comparedIn(body));
}

const COMPARISONS = ['contains', 'containsAll', 'containsAny', '==', '!='];

function comparedIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(comparedIn);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, part]) => {
    const sides = COMPARISONS.includes(name) ? sidesOf(part) : [];
    const other = sides.filter((side) => !isValues(side));
    return [...(other.length < sides.length ? other.flatMap(textsIn) : []), ...comparedIn(part)];
  });
}

function sidesOf(part: unknown): readonly unknown[] {
  return typeof part === 'object' && part !== null && 'left' in part && 'right' in part ? [part.left, part.right] : [];
}

/** `context.facts.parameter_values`. */
function isValues(node: unknown): boolean {
  const access = typeof node === 'object' && node !== null && '.' in node ? node['.'] : undefined;
  return typeof access === 'object' && access !== null && 'attr' in access && access.attr === 'parameter_values';
}

/** The texts of a set or of one text, in both branches of a condition. */
function textsIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(textsIn);
  if (typeof node !== 'object' || node === null) return [];
  if ('Value' in node) return typeof node.Value === 'string' ? [node.Value] : [];
  if ('Set' in node) return textsIn(node.Set);
  const choice = 'if-then-else' in node ? node['if-then-else'] : undefined;
  return typeof choice === 'object' && choice !== null && 'then' in choice && 'else' in choice ? textsIn([choice.then, choice.else]) : [];
}
