// The inputs that a policy reads. Other inputs cannot change its answer, so that one cached answer serves many questions.
//
// Lictor finds them in the policy's tree (Cedar's JSON form). An unknown expression counts as reading everything.
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { PARAMETER_FACTS } from './facts.ts';
import type { PolicyTexts } from './policies.ts';
import { ACTION, PRINCIPAL, ROLE } from './schema.ts';
import type { ToTree } from './trees.ts';

export interface Reads {
  /** The id or attributes of the object. Its kind always counts as read. */
  readonly resource: boolean;
  readonly address: boolean;
  readonly carrier: boolean;
  readonly facts: boolean;
  /** Of the facts, the values of parameters. */
  readonly parameters: boolean;
}

const EVERYTHING: Reads = { resource: true, address: true, carrier: true, facts: true, parameters: true };
const NOTHING: Reads = { resource: false, address: false, carrier: false, facts: false, parameters: false };

/** The inputs that the policies of these names read. */
export function readsOfEach(policies: PolicyTexts, toTree: ToTree = policyToJson): (ids: readonly string[]) => Reads {
  const known = new Map(Object.entries(policies).map(([id, text]) => [id, readsOf(text, toTree)]));
  return (ids) => ids.map((id) => known.get(id) ?? EVERYTHING).reduce(either, NOTHING);
}

function either(a: Reads, b: Reads): Reads {
  return {
    resource: a.resource || b.resource,
    address: a.address || b.address,
    carrier: a.carrier || b.carrier,
    facts: a.facts || b.facts,
    parameters: a.parameters || b.parameters,
  };
}

function readsOf(text: string, toTree: ToTree): Reads {
  const parsed = toTree(text);
  if (parsed.type === 'failure') return EVERYTHING;
  const { resource, conditions } = parsed.json;
  const isNamed = resource.op !== 'All' && (resource.op !== 'is' || 'in' in resource);
  return conditions.map(({ body }) => readsIn(body)).reduce(either, { ...NOTHING, resource: isNamed });
}

/** `context.address` is one member. `context` alone, or an unknown member, counts as everything. */
function readsIn(node: unknown): Reads {
  if (Array.isArray(node)) return node.map(readsIn).reduce(either, NOTHING);
  if (typeof node !== 'object' || node === null) return NOTHING;
  if ('Var' in node) return node.Var === 'principal' || node.Var === 'action' ? NOTHING : node.Var === 'resource' ? { ...NOTHING, resource: true } : EVERYTHING;
  const member = memberOfFacts(node) ?? memberOfContext(node);
  if (member !== undefined) return member;
  if ('__entity' in node) return { ...NOTHING, resource: isObjectOfPrefect(node.__entity) };
  return Object.values(node).map(readsIn).reduce(either, NOTHING);
}

/** `Flow::"f" has tags`: this object may be the resource of the question. */
export function isObjectOfPrefect(entity: unknown): boolean {
  const type = typeof entity === 'object' && entity !== null && 'type' in entity ? entity.type : undefined;
  return type !== PRINCIPAL && type !== ROLE && type !== ACTION;
}

/** `{".": {left: {Var: "context"}, attr}}`, or the same of `has`. */
function memberOfContext(node: object): Reads | undefined {
  const access = accessOf(node);
  if (access === undefined || !isContext(access.left)) return undefined;
  if (access.attr === 'facts') return { ...NOTHING, facts: true, parameters: access.whole };
  return access.attr === 'address' || access.attr === 'carrier' ? { ...NOTHING, [access.attr]: true } : undefined;
}

/** `context.facts.force`. With `context.facts` alone, the policy may read any fact. */
function memberOfFacts(node: object): Reads | undefined {
  const access = accessOf(node);
  const facts = access === undefined ? undefined : accessOf(access.left);
  if (access === undefined || facts?.attr !== 'facts' || !isContext(facts.left)) return undefined;
  return { ...NOTHING, facts: true, parameters: PARAMETER_FACTS.some((name) => name === access.attr) };
}

interface Access {
  readonly left: object;
  readonly attr: string;
  /** The member itself, and not whether there is one. */
  readonly whole: boolean;
}

export function accessOf(node: object): Access | undefined {
  const access: unknown = '.' in node ? node['.'] : 'has' in node ? node.has : undefined;
  if (typeof access !== 'object' || access === null || !('left' in access) || !('attr' in access)) return undefined;
  const { left, attr } = access;
  return typeof left === 'object' && left !== null && typeof attr === 'string' ? { left, attr, whole: '.' in node } : undefined;
}

function isContext(node: object): boolean {
  return 'Var' in node && node.Var === 'context';
}

/** Actions on the left of an `in`, as in `Action::"flows.read" in Action::"read"`: Cedar needs the group of each. Never throws. */
export function actionsLookedInto(text: string, toTree: ToTree): readonly string[] {
  const parsed = toTree(text);
  return parsed.type === 'failure' ? [] : [...new Set(parsed.json.conditions.flatMap(({ body }) => lookedInto(body, false)))];
}

/** `inside`: the node stands left of an `in`. */
function lookedInto(node: unknown, inside: boolean): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item) => lookedInto(item, inside));
  if (typeof node !== 'object' || node === null) return [];
  if ('__entity' in node) return inside ? actionIn(node.__entity) : [];
  return Object.entries(node).flatMap(([name, part]) => {
    const left = name === 'in' || name === 'is' ? leftOf(part) : undefined;
    return [...lookedInto(part, inside), ...(left === undefined ? [] : lookedInto(left, true))];
  });
}

function leftOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null && 'left' in part ? part.left : undefined;
}

function actionIn(entity: unknown): readonly string[] {
  return typeof entity === 'object' && entity !== null && 'type' in entity && 'id' in entity && entity.type === ACTION ? [String(entity.id)] : [];
}

/** True when a policy reads attributes of an object, such as `resource.tags`, in any notation. In doubt it is true. */
export function readsAttributes(text: string, toTree: ToTree): boolean {
  const parsed = toTree(text);
  return parsed.type === 'failure' || parsed.json.conditions.some(({ body }) => asksOfObject(body, false));
}

export const ACCESS: readonly string[] = ['.', 'has', 'getTag', 'hasTag'];

/** `asked`: the node stands left of such an access. */
function asksOfObject(node: unknown, asked: boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => asksOfObject(item, asked));
  if (typeof node !== 'object' || node === null) return false;
  if ('Var' in node && node.Var === 'resource') return asked;
  if ('__entity' in node) return asked && isObjectOfPrefect(node.__entity);
  return Object.entries(node).some(([name, part]) => asksOfObject(part, asked || ACCESS.includes(name)));
}
