// `explain PRINCIPAL ACTION [RESOURCE]`: the decision of the policies alone.

import { nearestName } from '../../config/suggest.ts';
import type { Located } from '../../contract/decision.ts';
import { LictorError } from '../../contract/error.ts';
import { RESOURCE_TYPES, type ResourceType } from '../../contract/operation.ts';
import { normaliseUuid } from '../../prefect/catalog/template.ts';
import { conclude, type ExplainerParts, evaluate, unseenNotes } from './explainer.ts';
import type { Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

/**
 * `resource` is an id or name, `TYPE`, or `TYPE:ID`; left out: every type of the action as a whole.
 * Throws LictorError `usage` for an unknown action or resource, with a suggestion.
 */
export async function explainAction(
  parts: ExplainerParts,
  resolved: ResolvedPrincipal,
  question: { readonly action: string; readonly resource?: string | undefined },
): Promise<Explanation> {
  const entry = parts.actions.find(({ name }) => name === question.action);
  if (entry === undefined)
    throw unknownAction(
      question.action,
      parts.actions.map(({ name }) => name),
    );
  const resources = readResource(question.resource, entry);
  const asks = await Promise.all(resources.map((resource) => evaluate(parts, resolved, { action: entry.name, resource })));
  const denied = asks.find(({ decision }) => decision === 'deny');
  const isOpen = resources.some((resource) => hangsOnParameters(parts, resolved, { action: entry.name, resource }));
  return conclude(parts, resolved, {
    decision: denied === undefined ? 'allow' : 'deny',
    reason: denied?.reason ?? 'policy-permits',
    asks,
    dependsOnBody: isOpen,
    notes: [...unseenNotes(asks), ...(isOpen ? [OPEN] : [])],
  });
}

const OPEN = 'A policy looks at the values of parameters here, and none are known: ask with --request and --body, and the answer is that of the gateway.';

/** With every role of the principal: in doubt the answer is true. */
function hangsOnParameters(
  { policy }: ExplainerParts,
  { principal }: ResolvedPrincipal,
  { action, resource: { type, id } }: { readonly action: string; readonly resource: Located },
): boolean {
  const context = { address: '', carrier: 'authorization', facts: {} };
  return policy.hangsOnParameters({ principal, action, resource: { type, id }, context, inForce: principal.grants.map(({ role }) => role) });
}

/** The one object that a question names; undefined: none. Throws as `explainAction` does. */
export function objectOf(
  { actions }: Pick<ExplainerParts, 'actions'>,
  { action, resource }: { readonly action: string; readonly resource?: string | undefined },
): Located | undefined {
  const entry = actions.find(({ name }) => name === action);
  return entry === undefined || resource === undefined ? undefined : readResource(resource, entry)[0];
}

function readResource(text: string | undefined, entry: { readonly name: string; readonly resources: readonly ResourceType[] }): readonly Located[] {
  const types = entry.resources;
  if (text === undefined) return types.map((type) => ({ type, id: null }));
  const separator = text.search(/[:/]/);
  const head = separator < 0 ? text : text.slice(0, separator);
  const type = RESOURCE_TYPES.find((known) => known === head);
  if (type !== undefined) {
    if (!types.includes(type)) throw usage(`${entry.name} is never asked on ${type}. It is for ${types.join(', ')}.`);
    return [separator < 0 ? { type, id: null } : located(type, text.slice(separator + 1))];
  }
  const [only, ...others] = types;
  if (only === undefined || others.length > 0) throw usage(`${entry.name} is for ${types.join(' and ')}: write TYPE:ID, for example ${only ?? ''}:${text}.`);
  return [located(only, text)];
}

/** `FLOW/NAME` for a deployment, `POOL/NAME` for a queue. */
function located(type: ResourceType, text: string): Located {
  const at = type === 'Deployment' || type === 'WorkQueue' ? text.indexOf('/') : -1;
  return at < 0 ? { type, id: idOf(text) } : { type, id: text.slice(at + 1), named: true, within: text.slice(0, at) };
}

function idOf(text: string): string {
  return normaliseUuid(text) ?? text;
}

function unknownAction(given: string, names: readonly string[]): LictorError {
  const near = nearestName(given, names);
  const noun = names.filter((name) => name.split('.')[0] === given.split('.')[0]);
  const more = noun.length > 0 ? `Actions of ${given.split('.')[0]}: ${noun.join(', ')}.` : 'docs/reference/roles.md lists every action.';
  return usage(`There is no action ${JSON.stringify(given)}.${near === undefined ? '' : ` Did you mean ${near}?`} ${more}`);
}

function usage(message: string): LictorError {
  return new LictorError('usage', message);
}
